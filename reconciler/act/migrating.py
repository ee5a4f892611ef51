"""Carry a migration of an older root out, or take it back: one step after another, each of which looks first.

Killed at any point and run again, either ends as undisturbed. Nothing is deleted: what is written anew has
its original kept, and what an undo takes away lies in the migration's own folder.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import assert_never

import msgspec

from reconciler.act.errors import Temporary
from reconciler.observed.start_folders import observe_checkpoint
from state.atomic import (
    ensure_folder,
    freeze,
    rename_noreplace,
    replace_link,
    sync_folder,
    write_file,
    write_json,
)
from state.contract.files import ContractError, read
from state.contract.manifest import MANIFEST_NAME, FileEntry, Manifest, with_digest
from state.copies import hash_file
from state.failpoints import reach
from state.layout import STAGING_PREFIX, Layout
from state.migration_record import (
    KEPT,
    MIGRATIONS,
    RECORD,
    UNDONE,
    Keep,
    Link,
    MigrationRecord,
    Move,
    Step,
    TakeIn,
    came_from,
)
from state.queue_folders import FOLDERS
from state.unknown import unknown_manifest

Tell = Callable[[Step], None]


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """A migration that was written down."""

    root: Path
    number: int

    @property
    def folder(self) -> Path:
        return self.root / MIGRATIONS / str(self.number)

    def read(self) -> MigrationRecord:
        """Return its record.

        Raises:
            ContractError: it is damaged.
        """
        return read(self.folder / RECORD, MigrationRecord)

    def write(self, record: MigrationRecord) -> None:
        ensure_folder(self.folder)
        write_json(self.folder / RECORD, record)


def newest_migration(root: Path) -> Migration | None:
    """Return the migration of a root that was written down last."""
    try:
        names = os.listdir(root / MIGRATIONS)  # noqa: PTH208 - names, not paths
    except (FileNotFoundError, NotADirectoryError):
        return None
    numbers = [
        int(name) for name in names if name.isdecimal() and (root / MIGRATIONS / name / RECORD).exists()
    ]
    return Migration(root=root, number=max(numbers)) if numbers else None


def with_traces(root: Path, record: MigrationRecord) -> MigrationRecord:
    """Return the record with what an undo must know of the root as it is now."""
    files = [
        f"{step.folder}/{name}" for step in record.steps if isinstance(step, TakeIn) for name in step.files
    ]
    modes = {
        path: stat.S_IMODE((root / came_from(path, record.steps)).stat().st_mode)
        for path in files
        if not path.endswith("/")
    }
    kept = [step.path for step in record.steps if isinstance(step, Keep)]
    modes |= {path: stat.S_IMODE((root / path).stat().st_mode) for path in kept if (root / path).is_file()}
    modes = {path: mode for path, mode in modes.items() if not (root / path).is_symlink()}
    wanted = list(_folders_of(Layout(root), record.campaigns))
    names = [came_from(str(path.relative_to(root)), record.steps) for path in dict.fromkeys(wanted)]
    paths = dict.fromkeys((*names, *(str(path.relative_to(root)) for path in wanted)))
    made = [path for path in paths if not os.path.lexists(root / path)]
    return msgspec.structs.replace(record, modes=modes, made=tuple(made))


def _folders_of(layout: Layout, campaigns: tuple[str, ...]) -> Iterator[Path]:
    """Yield every folder that this software makes in a root, the innermost ones too."""
    yield from (layout.campaigns, layout.archive, layout.trash, layout.data, layout.inbox, layout.queue)
    yield from (layout.root / name for name in ("status", "logs", "models"))
    yield from (layout.queue / name for name in FOLDERS)
    for name in campaigns:
        for archived in (False, True):
            places = layout.campaign(name, archived=archived)
            yield from (places.folder.parent, places.folder)
            yield from (places.checkpoints, places.status, places.logs, places.runs)


def carry_out(migration: Migration, tell: Tell) -> None:
    """Do every step of the migration that is not done yet.

    Raises:
        Temporary: a checkpoint changed since it was looked at.
        OSError: the disk is full or failing, or something lies in the way.
    """
    record = migration.read()
    _sweep(migration, record)
    for step in record.steps:
        tell(step)
        match step:
            case Keep():
                _keep(migration, step.path)
            case Move():
                _move(migration.root / step.source, migration.root / step.target)
            case Link():
                _link(migration.root / step.path, step.target)
            case TakeIn():
                _take_in(migration.root, step)
            case _:
                assert_never(step)


def take_back(migration: Migration, tell: Tell) -> None:
    """Bring the root back to what it was; what this software wrote there is put aside."""
    record, root = migration.read(), migration.root
    _sweep(migration, record)
    _bring_home(root, record)
    for path in record.derived:
        _put_aside(migration, path, record.steps)
    for path, mode in record.modes.items():
        with suppress(FileNotFoundError):
            (root / path).chmod(mode)
    for step in reversed(record.steps):
        tell(step)
        match step:
            case Keep():
                _restore(migration, step.path, record.modes.get(step.path))
            case Move():
                _move_back(root / step.target, root / step.source)
            case Link():
                _unlink(root / step.path, step.target)
            case TakeIn():
                pass  # its manifest is among what was put aside
            case _:
                assert_never(step)
    for path in sorted(record.made, key=lambda one: one.count("/"), reverse=True):
        with suppress(OSError):  # not there, or something is in it
            (root / path).rmdir()


def _sweep(migration: Migration, record: MigrationRecord) -> None:
    """Remove what a kill left unfinished: by our own names of it, beside what it was to become."""
    root = migration.root
    for step in record.steps:
        match step:
            case Link():
                _sweep_name(root / step.path, (root / step.path).parent)
            case Keep():
                _sweep_name(migration.folder / KEPT / step.path, (migration.folder / KEPT / step.path).parent)
            case TakeIn():
                folder = root / step.folder
                _sweep_name(folder / MANIFEST_NAME, folder.parent.parent)


def _sweep_name(path: Path, folder: Path) -> None:
    unfinished = re.compile(rf"{re.escape(f'{STAGING_PREFIX}{path.name}')}\.[0-9]+")
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names, not paths
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if unfinished.fullmatch(name):
            (folder / name).unlink()


def _keep(migration: Migration, path: str) -> None:
    source, kept = migration.root / path, migration.folder / KEPT / path
    if os.path.lexists(kept) or not os.path.lexists(source):
        return
    ensure_folder(kept.parent)
    if source.is_symlink():
        replace_link(kept, str(source.readlink()))
        return
    write_file(kept, source.read_bytes())


def _restore(migration: Migration, path: str, mode: int | None) -> None:
    kept = migration.folder / KEPT / path
    if os.path.lexists(kept) and not os.path.lexists(migration.root / path):
        _rename(kept, migration.root / path)
    if mode is not None and not os.path.lexists(kept):
        (migration.root / path).chmod(mode)


def _move(source: Path, target: Path) -> None:
    if not os.path.lexists(source) or (source.is_symlink() and os.path.lexists(target)):
        return  # done before, and a link left in its place perhaps
    ensure_folder(target.parent)
    _rename(source, target)


def _move_back(target: Path, source: Path) -> None:
    if os.path.lexists(target) and not os.path.lexists(source):
        ensure_folder(source.parent)
        _rename(target, source)


def _rename(source: Path, target: Path) -> None:
    reach("entry.move")
    rename_noreplace(source, target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
    reach("entry.moved")


def _link(path: Path, target: str) -> None:
    if not os.path.lexists(path):
        ensure_folder(path.parent)
        replace_link(path, target)


def _unlink(path: Path, target: str) -> None:
    if path.is_symlink() and str(path.readlink()) == target:
        reach("entry.remove")
        path.unlink()
        sync_folder(path.parent)


def _take_in(root: Path, step: TakeIn) -> None:
    """Write the manifest of a checkpoint, from its bytes as the disk has them, and freeze its files."""
    folder = root / step.folder
    if not _is_taken_in(folder):
        found = observe_checkpoint(folder)
        if found.problem is not None or {*found.files, *found.unused} != set(step.files):
            raise Temporary(f"{folder} changed since it was looked at: {found.problem or 'other files'}")
        files = tuple(_entry(folder, name) for name in step.files)
        write_file(folder / MANIFEST_NAME, msgspec.json.encode(_manifest(step, files)), folder.parent.parent)
    freeze(folder)


def _is_taken_in(folder: Path) -> bool:
    try:
        return read(folder / MANIFEST_NAME, Manifest).imported is not None
    except (FileNotFoundError, ContractError):
        return False


def _entry(folder: Path, name: str) -> FileEntry:
    size, digest = hash_file(folder / name)
    return FileEntry(path=name, size_bytes=size, blake3=digest)


def _manifest(step: TakeIn, files: tuple[FileEntry, ...]) -> Manifest:
    losses = (step.train_loss, step.val_loss, step.learning_rate)
    made = unknown_manifest(step.step, step.saved_at, losses, step.imported)
    return with_digest(
        msgspec.structs.replace(made, campaign_uid=step.campaign_uid, campaign=step.campaign, files=files)
    )


def _bring_home(root: Path, record: MigrationRecord) -> None:
    """Bring campaigns that were archived meanwhile to where the migration had put them."""
    for name in record.campaigns:
        home = Layout(root).campaign(name).folder
        _move_back(Layout(root).campaign(name, archived=True).folder, home)


def _put_aside(migration: Migration, path: str, steps: tuple[Step, ...]) -> None:
    """Move what this software wrote out of the way; a second try never covers the first.

    Where an original was to be kept and none is, it lies in its place: not yet kept, or restored already.
    """
    source, original = migration.root / path, came_from(path, steps)
    is_original = Keep(path=original) in steps and not os.path.lexists(migration.folder / KEPT / original)
    if is_original or not os.path.lexists(source):
        return
    target = migration.folder / UNDONE / path
    ensure_folder(target.parent)
    for place in _free(target):
        _rename(source, place)
        return


def _free(target: Path) -> Iterator[Path]:
    number = 0
    while True:
        place = target if number == 0 else target.with_name(f"{target.name}.{number}")
        if not os.path.lexists(place):
            yield place
        number += 1
