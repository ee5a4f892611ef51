"""What of a folder is ours: known by name and kind, in the order in which it may go. All else is not ours.

Of a checkpoint: the files that its manifest lists, the sidecar, and last the manifest. Of a campaign: the
names of `state/layout.py`, runs that the store knows, checkpoints as above, and unfinished work under its
reserved name. Fails closed: what cannot be read is not ours. No link is followed, only manifests are read.
"""

import stat
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from reconciler.observed.checkpoints import MAX_MANIFEST_BYTES
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, printable, reason
from reconciler.observed.records import Strange
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME, Manifest, manifest_digest
from state.ids import checkpoint_step
from state.layout import DAMAGED_PREFIX, STAGING_PREFIX, CampaignLayout, RunLayout

MAX_NAMED = 5
"""So many things that are not ours are named; of the others it is said how many there are."""
_PLACES, _RUN = CampaignLayout(Path()), RunLayout(Path())
_CAMPAIGN_FILES = frozenset(path.name for path in (_PLACES.record, _PLACES.saga, _PLACES.archive_summary))
_STATUS_FILES = frozenset(
    path.name for path in (_PLACES.training_status, _PLACES.checkpoint_index, _PLACES.curriculum_state)
)
_RUN_FILES = frozenset(
    path.name
    for path in (
        _RUN.request, _RUN.orders, _RUN.process, _RUN.status, _RUN.effective, _RUN.metrics, _RUN.exit,
        _RUN.log,
    )
)  # fmt: skip
_LOG_LINK = _PLACES.training_log.name
Accepts = Callable[[Manifest], bool]


class Entry(NamedTuple):
    """Something of ours, by its path below the folder that was looked at; empty for that folder itself."""

    path: str
    is_folder: bool = False


class Belongings:
    """What was found in a folder."""

    def __init__(self) -> None:
        self.ours: list[Entry] = []
        """What is in a folder stands before it."""
        self.not_ours: list[str] = []

    def strange(self, told: Collection[str] = ()) -> Strange | None:
        """Return what is not ours, but for what is told of already; None where there is no such thing."""
        found = [one for one in self.not_ours if not any(f"{one}/".startswith(f"{at}/") for at in told)]
        named = tuple(printable(one) for one in found[:MAX_NAMED])
        return Strange(names=named, count=len(found)) if found else None


def belongings_of_checkpoint(folder: Path, root: Path, digest: str) -> Belongings:
    """Return what of a checkpoint's folder, below the root, is ours; nothing there is nothing found."""
    return _look(folder, root, lambda opened, found: _checkpoint(opened, "", found, _has(digest)))


def belongings_of_campaign(folder: Path, root: Path, uid: str, runs: Collection[str]) -> Belongings:
    """Return what of a campaign's folder, below the root, is ours; `runs`: the folders of its known runs."""
    return _look(folder, root, lambda opened, found: _campaign(opened, found, _is_of(uid), runs))


def _has(digest: str) -> Accepts:
    return lambda manifest: manifest.digest == digest


def _is_of(uid: str) -> Accepts:
    return lambda manifest: manifest.campaign_uid == uid


def _look(folder: Path, root: Path, take: Callable[[Folder, Belongings], None]) -> Belongings:
    found = Belongings()
    try:
        opened = open_folder(folder, root)
    except FileNotFoundError:
        return found
    except (OSError, UnsafeFile) as error:
        found.not_ours.append(f"{folder.name} {reason(error)}")
        return found
    try:
        with opened:
            take(opened, found)
    except (OSError, UnsafeFile) as error:
        found.not_ours.append(f"{folder.name} {reason(error)}")
    found.ours.append(Entry("", is_folder=True))
    return found


def _campaign(folder: Folder, found: Belongings, accepts: Accepts, runs: Collection[str]) -> None:
    insides: dict[str, Callable[[Folder, str], None]] = {
        _PLACES.checkpoints.name: lambda inner, at: _checkpoints(inner, at, found, accepts),
        _PLACES.segments.name: lambda inner, at: _segments(inner, at, found, accepts),
        _PLACES.status.name: lambda inner, at: _files(inner, at, found, _STATUS_FILES),
        _PLACES.logs.name: lambda inner, at: _logs(inner, at, found),
        _PLACES.runs.name: lambda inner, at: _runs(inner, at, found, runs),
    }
    for name in _others(folder, "", found, _CAMPAIGN_FILES):
        _inside(folder, "", name, found, insides.get(name))


def _inside(
    folder: Folder, at: str, name: str, found: Belongings, take: Callable[[Folder, str], None] | None
) -> None:
    """Look into a folder whose name is known; without a way to look it is not ours."""
    if take is None:
        found.not_ours.append(f"{at}{name}")
        return
    try:
        with folder.enter(name) as inner:
            take(inner, f"{at}{name}/")
        found.ours.append(Entry(f"{at}{name}", is_folder=True))
    except (OSError, UnsafeFile) as error:
        found.not_ours.append(f"{at}{name} ({reason(error)})")


def _others(folder: Folder, at: str, found: Belongings, known: Collection[str]) -> Iterator[str]:
    """Take the plain files of known names, and unfinished ones; yield the names of everything else."""
    for name in folder.names():
        mode = folder.status(name).st_mode
        is_unfinished = name.startswith(STAGING_PREFIX) and (stat.S_ISREG(mode) or stat.S_ISLNK(mode))
        if (name in known and stat.S_ISREG(mode)) or is_unfinished:
            found.ours.append(Entry(f"{at}{name}"))
        else:
            yield name


def _files(folder: Folder, at: str, found: Belongings, known: Collection[str]) -> None:
    found.not_ours += [f"{at}{name}" for name in _others(folder, at, found, known)]


def _logs(folder: Folder, at: str, found: Belongings) -> None:
    for name in _others(folder, at, found, ()):
        is_link = name == _LOG_LINK and stat.S_ISLNK(folder.status(name).st_mode)
        (found.ours.append(Entry(f"{at}{name}")) if is_link else found.not_ours.append(f"{at}{name}"))


def _runs(folder: Folder, at: str, found: Belongings, runs: Collection[str]) -> None:
    for name in folder.names():
        known = (lambda inner, path: _files(inner, path, found, _RUN_FILES)) if name in runs else None
        _inside(folder, at, name, found, known)


def _segments(folder: Folder, at: str, found: Belongings, accepts: Accepts) -> None:
    for name in _others(folder, at, found, ()):
        take = partial(_checkpoints, found=found, accepts=accepts) if name.isdecimal() else None
        _inside(folder, at, name, found, take)


def _checkpoints(folder: Folder, at: str, found: Belongings, accepts: Accepts) -> None:
    for name in folder.names():
        take: Callable[[Folder, str], None] | None = None
        if name.startswith(STAGING_PREFIX):
            take = partial(_unfinished, found=found)
        elif checkpoint_step(name) is not None or name.startswith(DAMAGED_PREFIX):
            take = partial(_checkpoint, found=found, accepts=accepts)
        _inside(folder, at, name, found, take)


def _unfinished(folder: Folder, at: str, found: Belongings) -> None:
    """A save that was not finished has plain files and nothing else."""
    _files(folder, at, found, folder.names())


def _checkpoint(folder: Folder, at: str, found: Belongings, accepts: Accepts) -> None:
    """Take what the manifest lists, the sidecar, and the manifest last: until then it says what is ours."""
    manifest = _manifest(folder)
    listed = {entry.path for entry in manifest.files} if manifest and accepts(manifest) else set()
    known = {*listed, SIDECAR_NAME} - {MANIFEST_NAME} if listed else set()
    for name in _others(folder, at, found, known):
        if name != MANIFEST_NAME or not listed:
            found.not_ours.append(f"{at}{name}")
    if listed:
        found.ours.append(Entry(f"{at}{MANIFEST_NAME}"))


def _manifest(folder: Folder) -> Manifest | None:
    """Return the manifest, if there is one that was not changed."""
    try:
        manifest = decode(folder.read(MANIFEST_NAME, MAX_MANIFEST_BYTES), Manifest, MANIFEST_NAME)
        return manifest if manifest_digest(manifest) == manifest.digest else None
    except (OSError, UnsafeFile, ContractError, ValueError):
        return None
