"""Remember what lies in a campaign's folder beside its checkpoints, from one command to the next.

A memory counts while nothing that it was read from was touched: each folder that was listed and each file
that was read has the inode, times and size that it had. A folder's times change when an entry comes, goes or
is renamed; they say nothing of what the files in it hold, so each of these files is looked at too. (Files of
checkpoints likewise, see `checkpoint_cache`: frozen is a habit of ours, not a promise of the disk.)

What changed less than two seconds before the look is not remembered: a file may change again within the tick
of the file system's clock, and would look the same. Nor is a problem, or a run that is not over.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from reconciler.observed.fact_cache import FactCache
from reconciler.observed.folders import Folder, PlainSignature, Signature, UnsafeFile
from reconciler.observed.processes import PROC, is_alive
from reconciler.observed.records import CampaignRuns, DerivedFile
from reconciler.observed.runs import RUN_FILES, is_over
from state.layout import CampaignLayout

_RULES = "1"
"""Counts the changes of what is kept: another version is not believed."""
SETTLED_SECONDS = 2.0
"""Coarser than the clock of any file system that is in use."""

_PLACES = CampaignLayout(Path())
_CHECKPOINTS, _RUNS = _PLACES.checkpoints.name, _PLACES.runs.name
_ALWAYS = (_CHECKPOINTS, _RUNS, *map(str, (_PLACES.record, _PLACES.status, _PLACES.training_status)))


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """What lies there beside the checkpoints, and the names among the checkpoints."""

    entries: tuple[str, ...] | None
    """None: nobody could tell."""
    runs: CampaignRuns
    record: DerivedFile
    training_status: DerivedFile


class _Known(msgspec.Struct, frozen=True, array_like=True):
    places: tuple[str, ...]
    signatures: tuple[PlainSignature | None, ...]
    """None: nothing lay there."""
    rest: Rest


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

    def unchanged(self, folder: Folder) -> Rest | None:
        """Return what was seen there, if nobody touched anything of it since."""
        known = self._of(folder.text)
        if known is None or not folder.are(known.places, known.signatures):
            return None
        return known.rest if not self._any_lives(known.rest) else None

    def look(self, folder: Folder, read: Callable[[Folder], Rest]) -> Rest:
        """Read what lies there, and remember it if it is at rest."""
        before = self._at_rest(folder)
        rest = read(folder)
        if before is not None and _is_clear(rest) and before == self._at_rest(folder):
            self._put(folder.text, _Known(*before, rest))
        return rest

    def _at_rest(self, folder: Folder) -> _Places | None:
        """Return the places with their signatures; None when one has just changed, or cannot be seen."""
        settled_ns = time.time_ns() - self._settled_ns
        places = _places(folder)
        try:
            signatures = folder.signatures_or_none(places)
        except OSError:
            return None
        is_settled = all(one is None or one.ctime_ns < settled_ns for one in signatures)
        return (places, signatures) if is_settled else None

    def _any_lives(self, rest: Rest) -> bool:
        """Does a process live that was taken for gone? It may be seen from here, and not from elsewhere."""
        return any(run.process is not None and is_alive(run.process, self._proc) for run in rest.runs.runs)

    def _of(self, folder: str) -> _Known | None:
        if folder not in self._known:
            self._known[folder] = self._read(folder)
        return self._known[folder]

    def _put(self, folder: str, known: _Known) -> None:
        self._known[folder] = known
        if self._kept is not None:
            self._kept.put(_key(folder), msgspec.msgpack.encode(known))

    def _read(self, folder: str) -> _Known | None:
        entry = self._kept.get(_key(folder)) if self._kept is not None else None
        try:
            return _DECODER.decode(entry) if entry else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # another version's: look again


def _places(folder: Folder) -> tuple[str, ...]:
    """Return every place in the folder that something is read from, checkpoints apart."""
    runs = [f"{_RUNS}/{name}" for name in names_in(folder, _RUNS) or ()]
    return (*_ALWAYS, *(place for run in runs for place in (run, *(f"{run}/{file}" for file in RUN_FILES))))


def names_in(folder: Folder, name: str) -> tuple[str, ...] | None:
    """Return the names in a folder of this one; None where it cannot be entered, which its reader tells."""
    try:
        with folder.enter(name) as inner:
            return tuple(inner.names())
    except (OSError, UnsafeFile):
        return None


def _is_clear(rest: Rest) -> bool:
    """Is nothing of it a problem, or still to change by itself?"""
    has_problem = rest.runs.problems or rest.record.problem or rest.training_status.problem
    return not has_problem and all(is_over(run) and not run.problems for run in rest.runs.runs)


def _key(folder: str) -> str:
    return f"campaign\0{_RULES}\0{folder!a}"
