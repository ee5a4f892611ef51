"""Remember what lies in a campaign's folder, from one command to the next.

A memory counts while nothing that it was read from was touched: each folder that was listed and each file
that was read has the inode, times and size that it had. A folder's times change when an entry comes, goes or
is renamed; they say nothing of what the files in it hold, so each of these files is looked at too, those of
checkpoints among them: frozen is a habit of ours, not a promise of the disk. An entry that nobody reads, such
as a log, is known by the folder that it lies in: it is still there, and of the kind that it was.

What changed less than two seconds before the look is not remembered: a file may change again within the tick
of the file system's clock, and would look the same. Nor is a problem, or a run that is not over. Checkpoints
among which something is foreign are looked at each time, with `checkpoint_cache`.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from reconciler.observed.checkpoint_cache import places_of
from reconciler.observed.fact_cache import FactCache
from reconciler.observed.folders import Folder, Neighbours, PlainSignature, Signature, UnsafeFile
from reconciler.observed.processes import PROC, is_alive
from reconciler.observed.records import CampaignRuns, CheckpointFacts, DerivedFile
from reconciler.observed.runs import RUN_FILES, is_over
from reconciler.observed.second_look import FEWEST_FOLDERS, SecondLook
from state.ids import checkpoint_folder
from state.layout import CampaignLayout

_RULES = "2"
"""Counts the changes of what is kept: another version is not believed."""
SETTLED_SECONDS = 2.0
"""Coarser than the clock of any file system that is in use."""

_PLACES = CampaignLayout(Path())
_CHECKPOINTS, _RUNS = _PLACES.checkpoints.name, _PLACES.runs.name
_FILES = map(str, (_PLACES.record, _PLACES.status, _PLACES.training_status))
_ALWAYS = (os.curdir, _CHECKPOINTS, _RUNS, *_FILES)


class Content(msgspec.Struct, frozen=True, array_like=True):
    """What lies there."""

    campaign_uid: str
    """Whose folder it is: checkpoints of another campaign are foreign."""
    entries: tuple[str, ...] | None
    """The names among the checkpoints. None: nobody could tell."""
    checkpoints: CheckpointFacts | None
    """None: they are looked at apart."""
    runs: CampaignRuns
    record: DerivedFile
    training_status: DerivedFile
    is_clear: bool
    """Nothing but plain files and folders stands where such are written."""


class _Known(msgspec.Struct, frozen=True, array_like=True):
    places: tuple[str, ...]
    signatures: tuple[PlainSignature | None, ...]
    """None: nothing lay there."""
    content: Content


class _Print(msgspec.Struct, frozen=True, array_like=True):
    """Of what is known, only what tells whether anybody touched it."""

    places: tuple[str, ...]
    signatures: tuple[PlainSignature | None, ...]
    content: msgspec.Raw


_Places = tuple[tuple[str, ...], tuple[Signature | None, ...]]
_DECODER = msgspec.msgpack.Decoder(_Known)


class FolderMemory:
    """What was seen last in each campaign's folder."""

    def __init__(
        self, kept: FactCache | None = None, *, proc: Path = PROC, settled_seconds: float = SETTLED_SECONDS
    ) -> None:
        self._kept = kept
        self._proc = proc
        self._settled_ns = int(settled_seconds * 1e9)
        self._known: dict[str, _Known | None] = {}
        self._entries: dict[str, bytes] = {}
        self._recalled: str | None = None
        self._second: SecondLook | None = None

    def recall(self, below: str) -> None:
        """Fetch what was kept of all folders below this one, once: one by one takes three times as long."""
        if self._kept is not None and self._recalled != below:
            self._recalled = below
            self._entries = self._kept.get_all(_key(f"{below}/"))

    def look_ahead(self, root: Path, *, fewest: int = FEWEST_FOLDERS) -> None:
        """Let a second process look at the folders that were recalled, all below this root, if many."""
        if len(self._entries) >= fewest:
            folders = [folder for key in self._entries if (folder := _folder_of(key)) is not None]
            below = Neighbours(root)
            self._second = SecondLook.begin(folders, lambda folder: self._is_untouched(below, folder))

    def end_of_look(self) -> None:
        """End the second process, if there is one."""
        if self._second is not None:
            self._second.end()
        self._second = None

    def _is_untouched(self, below: Neighbours, path: str) -> bool:
        try:
            known = msgspec.msgpack.decode(self._entries[_key(path)], type=_Print)
            with below.open(path) as folder:
                return folder.are(known.places, known.signatures)
        except (OSError, UnsafeFile, ValueError, msgspec.DecodeError):
            return False  # this process looks, and says what is wrong

    def found_untouched(self, path: str, campaign_uid: str) -> Content | None:
        """Return what was seen in a folder, for this campaign, if the second process found it untouched."""
        if self._second is None or not self._second.is_untouched(path):
            return None
        known = self._of(path)
        if known is None or known.content.campaign_uid != campaign_uid or self._any_lives(known.content):
            return None
        return known.content

    def unchanged(self, folder: Folder, campaign_uid: str) -> Content | None:
        """Return what was seen there, if it was looked at for this campaign and nobody touched it since."""
        known = self._of(folder.text)
        if known is None or known.content.campaign_uid != campaign_uid:
            return None
        if not folder.are(known.places, known.signatures) or self._any_lives(known.content):
            return None
        return known.content

    def look(self, folder: Folder, read: Callable[[Folder], Content]) -> Content:
        """Read what lies there, and remember it if it is at rest."""
        before_ns = time.time_ns() - self._settled_ns
        before = _at_rest(folder, _places(folder), before_ns)
        content = read(folder)
        if before is None or not _is_quiet(content) or before != _at_rest(folder, _places(folder), before_ns):
            return content
        found = _at_rest(folder, _files_of(content.checkpoints), before_ns)
        if content.checkpoints is None or found is None:
            self._put(folder.text, _Known(*before, msgspec.structs.replace(content, checkpoints=None)))
        else:
            self._put(folder.text, _Known(before[0] + found[0], before[1] + found[1], content))
        return content

    def _any_lives(self, content: Content) -> bool:
        """Does a process live that was taken for gone? It may be seen from here, and not from elsewhere."""
        return any(run.process is not None and is_alive(run.process, self._proc) for run in content.runs.runs)

    def _of(self, folder: str) -> _Known | None:
        if folder not in self._known:
            self._known[folder] = self._read(folder)
        return self._known[folder]

    def _put(self, folder: str, known: _Known) -> None:
        self._known[folder] = known
        if self._kept is not None:
            self._kept.put(_key(folder), msgspec.msgpack.encode(known))

    def _read(self, folder: str) -> _Known | None:
        entry = self._entry(folder)
        try:
            return _DECODER.decode(entry) if entry else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # another version's: look again

    def _entry(self, folder: str) -> bytes | None:
        if self._kept is None:
            return None
        if self._recalled is not None and folder.startswith(f"{self._recalled}/"):
            return self._entries.pop(_key(folder), None)
        return self._kept.get(_key(folder))


def _at_rest(folder: Folder, places: tuple[str, ...], before_ns: int) -> _Places | None:
    """Return the places with their signatures; None when one was changed later, or cannot be seen."""
    try:
        signatures = folder.signatures_or_none(places)
    except OSError:
        return None
    is_settled = all(one is None or one.ctime_ns < before_ns for one in signatures)
    return (places, signatures) if is_settled else None


def _places(folder: Folder) -> tuple[str, ...]:
    """Return every place in the folder that something is read from, what checkpoints consist of apart."""
    runs = [f"{_RUNS}/{name}" for name in names_in(folder, _RUNS) or ()]
    return (*_ALWAYS, *(place for run in runs for place in (run, *(f"{run}/{file}" for file in RUN_FILES))))


def _files_of(checkpoints: CheckpointFacts | None) -> tuple[str, ...]:
    """Return every place that a complete checkpoint consists of."""
    found = checkpoints.complete if checkpoints is not None else ()
    names = [(f"{_CHECKPOINTS}/{checkpoint_folder(one.step)}", one.manifest.files) for one in found]
    return tuple(place for name, files in names for place in places_of(name, files))


def names_in(folder: Folder, name: str) -> tuple[str, ...] | None:
    """Return the names in a folder of this one; None where it cannot be entered, which its reader tells."""
    try:
        with folder.enter(name) as inner:
            return tuple(inner.names())
    except (OSError, UnsafeFile):
        return None


def _is_quiet(content: Content) -> bool:
    """Is nothing of it a problem, or still to change by itself?"""
    has_problem = content.runs.problems or content.record.problem or content.training_status.problem
    return not has_problem and all(is_over(run) and not run.problems for run in content.runs.runs)


def _key(folder: str) -> str:
    """Return the key of a folder; it begins with that of each folder above, and can always be encoded."""
    return f"campaign\0{_RULES}\0{ascii(folder)[1:-1]}"


def _folder_of(key: str) -> str | None:
    """Return the folder that has this key; None where its name had to be written in another way."""
    folder = key.rpartition("\0")[2]
    return None if "\\" in folder else folder
