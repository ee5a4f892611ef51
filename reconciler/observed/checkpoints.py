"""Which checkpoints are complete: a positive test, and everything that fails it is foreign.

Complete means: the folder is `checkpoint-<step>`; its manifest is valid, of this campaign and this step,
with the right digest; every file that it lists is a plain file of the listed size; and there is no other
file but the derived sidecar. The contents are hashed by `verify_contents`, not here.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from blake3 import blake3

from reconciler.observed.checkpoint_cache import (
    CheckpointCache,
    Remembered,
    Signatures,
    places_of,
    signatures_of,
)
from reconciler.observed.folders import (
    Folder,
    UnsafeFile,
    is_lfs_pointer,
    open_folder,
    printable,
    reason,
)
from reconciler.observed.foreign import NO_MANIFEST, foreign_folder
from reconciler.observed.records import CheckpointFacts, ForeignFolder, FoundCheckpoint, found_checkpoint
from state.contract.files import ContractError, OfNewerSoftware, decode
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME, FileEntry, Manifest, manifest_digest
from state.ids import checkpoint_folder, checkpoint_step
from state.layout import DAMAGED_PREFIX, STAGING_PREFIX

MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1 << 20
_LFS_ADVICE = "is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"

_NOT_LOOKED_AT = (STAGING_PREFIX, DAMAGED_PREFIX)

Found = FoundCheckpoint | ForeignFolder


class _Foreign(Exception):
    """Why a folder is not a complete checkpoint of ours."""


class _Newer(_Foreign):
    """It is one of ours, of a software that this one does not know yet."""


class _TooMuch(_Foreign):
    """It is one of ours by its manifest, and something more lies in it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not in the manifest")
        self.name = name


def observe_checkpoints(
    folder: Path,
    root: Path,
    campaign_uid: str | None = None,
    *,
    cache: CheckpointCache | None = None,
) -> CheckpointFacts:
    """Return what lies in a folder of checkpoints below the root; nothing there is nothing found.

    With `campaign_uid`, checkpoints of another campaign are foreign. With a cache, a complete checkpoint is
    looked at again only when it, or a file of it, was touched.
    """
    try:
        with open_folder(folder.parent, root) as parent:
            return checkpoints_in(parent, folder.name, campaign_uid, cache or CheckpointCache())
    except FileNotFoundError:
        return CheckpointFacts()
    except (OSError, UnsafeFile) as error:
        return CheckpointFacts(problem=f"{folder}: {reason(error)}")


def checkpoints_in(
    parent: Folder,
    name: str,
    campaign_uid: str | None,
    cache: CheckpointCache,
    names: Sequence[str] | None = None,
) -> CheckpointFacts:
    """Return what lies in a folder of checkpoints in an open folder; see `observe_checkpoints`.

    With `names`, what it holds is known already: it is opened only if something in it was touched.
    """
    if names is not None and (known := _as_before(parent, name, names, cache)) is not None:
        return _facts([_of_campaign(one.found, campaign_uid) for one in known], names)
    try:
        with parent.enter(name) as folder:
            return _observe(folder, campaign_uid, cache)
    except FileNotFoundError:
        return CheckpointFacts()
    except (OSError, UnsafeFile) as error:
        return CheckpointFacts(problem=f"{parent.text}/{name}: {reason(error)}")


def one_checkpoint(path: Path) -> Found | None:
    """Return what the folder at this path is, wherever it lies; None: it is not there.

    Raises:
        OSError, UnsafeFile: the folder that it lies in cannot be read.
    """
    with open_folder(path.parent, path.parent) as parent:
        return _inspect(parent, path.name, CheckpointCache())


def checkpoint_of_any_name(path: Path) -> FoundCheckpoint | ForeignFolder:
    """Return what the folder is; its manifest says its step, and a name that says one must agree."""
    try:
        with open_folder(path, path) as folder:
            return _complete(folder, str(path), checkpoint_step(path.name))
    except _Foreign as why:
        text, is_newer = str(why), isinstance(why, _Newer)
    except (OSError, UnsafeFile) as error:
        text, is_newer = reason(error), False
    return ForeignFolder(path=str(path), name=printable(path.name), reason=text, is_newer=is_newer)


def verify_contents(path: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return what is wrong with the contents of a checkpoint; reads and hashes every listed file."""
    try:
        return find_damage(path, manifest)
    except OSError as error:
        return (f"{error.filename or path} {reason(error)}",)


def find_damage(path: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return which files of a checkpoint are not what was saved; reads and hashes every listed one.

    Raises:
        OSError: something cannot be read now; that says nothing about what lies there.
    """
    try:
        with open_folder(path, path.parent) as folder:
            return tuple(text for entry in manifest.files for text in _wrong_content(folder, entry))
    except UnsafeFile as error:
        return (f"{path}: {reason(error)}",)


def _observe(folder: Folder, campaign_uid: str | None, cache: CheckpointCache) -> CheckpointFacts:
    names = folder.names()
    before = cache.of(folder.text)
    found: list[Found] = []
    now: dict[str, Remembered] = {}
    for name in names:
        if name.startswith(_NOT_LOOKED_AT):
            continue
        one = _remembered(folder, name, before.get(name)) or _look_at(folder, name, cache)
        if isinstance(one, Remembered):
            now[name] = one
            found.append(_of_campaign(one.found, campaign_uid))
        elif one is not None:
            found.append(one)
    cache.replace(folder.text, now)
    return _facts(found, names)


def _as_before(
    parent: Folder, folder: str, names: Sequence[str], cache: CheckpointCache
) -> list[Remembered] | None:
    """Return what was found under these names, if each is remembered and nobody touched any since."""
    known, before = [], cache.of(f"{parent.text}/{folder}")
    for name in names:
        if name.startswith(_NOT_LOOKED_AT):
            continue
        one = before.get(name)
        if one is None or not one.signatures:
            return None
        if not parent.are(places_of(f"{folder}/{name}", one.found.manifest.files), one.signatures):
            return None
        known.append(one)
    return known


def _remembered(folder: Folder, name: str, before: Remembered | None) -> Remembered | None:
    """Return what was found before if nobody touched it since."""
    if before is None or not before.signatures:
        return None
    return before if before.signatures == _signatures(folder, name, before.found) else None


def _look_at(folder: Folder, name: str, cache: CheckpointCache) -> Remembered | ForeignFolder | None:
    """Return what the entry is; the signatures are those from before it was read."""
    before = signatures_of(folder, name, ())
    found = _inspect(folder, name, cache)
    if not isinstance(found, FoundCheckpoint):
        return found
    after = _signatures(folder, name, found)
    return Remembered(signatures=after if after[:2] == before else (), found=found)


def _signatures(folder: Folder, name: str, found: FoundCheckpoint) -> Signatures:
    return signatures_of(folder, name, found.manifest.files)


def _of_campaign(found: FoundCheckpoint, campaign_uid: str | None) -> Found:
    manifest = found.manifest
    if campaign_uid in (None, manifest.campaign_uid):
        return found
    why = f"it belongs to campaign uid {printable(manifest.campaign_uid)}, not {campaign_uid}"
    return ForeignFolder(path=found.path, name=checkpoint_folder(found.step), reason=why)


def _facts(found: Sequence[Found], names: Sequence[str]) -> CheckpointFacts:
    complete = [one for one in found if isinstance(one, FoundCheckpoint)]
    return CheckpointFacts(
        complete=tuple(sorted(complete, key=lambda checkpoint: checkpoint.step)),
        foreign=tuple(one for one in found if isinstance(one, ForeignFolder)),
        staging=tuple(printable(name) for name in names if name.startswith(STAGING_PREFIX)),
        set_aside=tuple(printable(name) for name in names if name.startswith(DAMAGED_PREFIX)),
    )


def _inspect(parent: Folder, name: str, cache: CheckpointCache) -> Found | None:
    """Return what the entry is; None when it went away while we looked."""
    path = f"{parent.text}/{printable(name)}"
    try:
        step = _step(name)
        with parent.enter(name) as folder:
            return _complete(folder, path, step)
    except _TooMuch as why:
        return ForeignFolder(path=path, name=printable(name), reason=str(why), extra=why.name)
    except _Foreign as why:
        return foreign_folder(parent, name, str(why), cache.foreign)
    except FileNotFoundError:
        return None
    except (OSError, UnsafeFile) as error:
        return ForeignFolder(path=path, name=printable(name), reason=reason(error))


def _step(name: str) -> int:
    step = checkpoint_step(name)
    if step is None or name != checkpoint_folder(step):
        raise _Foreign("the name is not understood; expected checkpoint-<step>")
    return step


def _complete(folder: Folder, path: str, step: int | None) -> FoundCheckpoint:
    """Return the whole checkpoint; `step`: what the folder's name says, None: nothing."""
    names = set(folder.names())
    content = _manifest_bytes(folder, names)
    manifest = _manifest(content)
    if step is not None and manifest.step != step:
        raise _Foreign(f"the manifest says step {manifest.step}, the folder's name says {step}")
    _check_names(names, manifest)
    for entry in manifest.files:
        _check_file(folder, entry)
    size = sum(entry.size_bytes for entry in manifest.files) + len(content)
    return found_checkpoint(path, size, manifest)


def _manifest_bytes(folder: Folder, names: set[str]) -> bytes:
    if MANIFEST_NAME not in names:
        raise _Foreign(f"{NO_MANIFEST}: not saved to the end, or made by other software")
    try:
        content = folder.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    except (OSError, UnsafeFile) as error:
        raise _Foreign(f"{MANIFEST_NAME} {reason(error)}") from error
    if is_lfs_pointer(content):
        raise _Foreign(f"{MANIFEST_NAME} {_LFS_ADVICE}")
    return content


def _manifest(content: bytes) -> Manifest:
    try:
        manifest = decode(content, Manifest, MANIFEST_NAME)
        digest = manifest_digest(manifest)
    except OfNewerSoftware as error:
        raise _Newer(str(error)) from error
    except (ContractError, ValueError) as error:
        raise _Foreign(str(error)) from error
    if digest != manifest.digest:
        raise _Foreign(f"{MANIFEST_NAME} was changed: its content has digest {digest}, not the one it names")
    return manifest


def _check_names(names: set[str], manifest: Manifest) -> None:
    listed = [entry.path for entry in manifest.files]
    for name in listed:
        if not _is_plain_name(name) or name in (MANIFEST_NAME, SIDECAR_NAME):
            raise _Foreign(f"the manifest lists {printable(name)!r}, which is no file of a checkpoint")
    if not listed or len(set(listed)) != len(listed):
        raise _Foreign("the manifest lists no file" if not listed else "the manifest lists a file twice")
    if extra := sorted(names - {*listed, MANIFEST_NAME, SIDECAR_NAME}):
        raise _TooMuch(printable(extra[0]))


def _is_plain_name(name: str) -> bool:
    return name not in ("", os.curdir, os.pardir) and os.sep not in name and "\0" not in name


def _check_file(folder: Folder, entry: FileEntry) -> None:
    try:
        status = folder.status(entry.path)
    except FileNotFoundError:
        raise _Foreign(f"{printable(entry.path)} is missing") from None
    if stat.S_ISLNK(status.st_mode):
        raise _Foreign(f"{printable(entry.path)} is a symbolic link, which is not followed")
    if not stat.S_ISREG(status.st_mode):
        raise _Foreign(f"{printable(entry.path)} is not a plain file")
    if status.st_size != entry.size_bytes:
        raise _Foreign(_wrong_size(folder, entry, status.st_size))


def _wrong_size(folder: Folder, entry: FileEntry, size_bytes: int) -> str:
    name = printable(entry.path)
    try:
        if is_lfs_pointer(folder.read(entry.path, 1024)):
            return f"{name} {_LFS_ADVICE}"
    except (OSError, UnsafeFile):
        pass  # it is the size that is told
    return f"{name} has {size_bytes} bytes, the manifest says {entry.size_bytes}: a torn copy, or changed"


def _wrong_content(folder: Folder, entry: FileEntry) -> list[str]:
    name = printable(entry.path)
    if not _is_plain_name(entry.path):
        return [f"{name}: no file of a checkpoint"]
    try:
        digest = _digest(folder, entry.path)
    except UnsafeFile as error:
        return [f"{name} {reason(error)}"]
    wanted = entry.blake3.removeprefix("blake3:")
    return [] if digest == wanted else [f"{name} has BLAKE3 {digest}, the manifest says {wanted}"]


def _digest(folder: Folder, name: str) -> str:
    hasher = blake3()
    with folder.open_file(name) as descriptor:
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()
