"""What each run's folder and the process table say about it; a torn or hostile file is a problem, by name."""

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from reconciler.observed.elsewhere import whereabouts
from reconciler.observed.folders import (
    Folder,
    Signature,
    UnsafeFile,
    open_folder,
    printable,
    reason,
    signature,
)
from reconciler.observed.processes import PROC
from reconciler.observed.records import CampaignRuns, RunFacts
from reconciler.observed.stat_cache import StatCache
from state.contract.effective import EffectiveRun
from state.contract.exit import UNWRITTEN_EVENT, UNWRITTEN_KEY, RunExit
from state.contract.files import ContractError, decode
from state.contract.orders import Orders
from state.contract.process import ProcessIdentity
from state.contract.status import RunStatus
from state.layout import CampaignLayout, RunLayout

_NUMBER = "(0|[1-9][0-9]{0,8})"
_RUN_FOLDER = f"g{_NUMBER}-a{_NUMBER}"
MAX_NAMED = 20
"""So many entries that are no runs are named."""
_MAX_SMALL_BYTES = 1024 * 1024
_TAIL_BYTES = 64 * 1024
"""So much of a log's end is looked through for the record of a run's end."""
_MAX_ORDERS_BYTES = 64 * 1024 * 1024
_LAYOUT = RunLayout(Path())
_REQUEST, _PROCESS, _STATUS = _LAYOUT.request.name, _LAYOUT.process.name, _LAYOUT.status.name
_ORDERS, _EXIT = _LAYOUT.orders.name, _LAYOUT.exit.name
_EFFECTIVE, _LOG = _LAYOUT.effective.name, _LAYOUT.log.name
_RUNS = CampaignLayout(Path()).runs.name
RUN_FILES = (_REQUEST, _PROCESS, _STATUS, _ORDERS, _EXIT, _EFFECTIVE)
"""All that is looked at in a run's folder."""
_UNWRITTEN = re.compile(rf"\S+  {re.escape(UNWRITTEN_EVENT)} .*  {UNWRITTEN_KEY}=(\{{.*\}})$".encode())

Record = TypeVar("Record", bound=msgspec.Struct)
RunCache = StatCache[RunFacts]
_Remembered = tuple[tuple[Signature, ...], RunFacts]


def observe_runs(
    campaign: CampaignLayout, root: Path, *, proc: Path = PROC, cache: RunCache | None = None
) -> CampaignRuns:
    """Return every run of a campaign below the root; other entries of its `runs/` are named as problems.

    With a cache, a run that has left is looked at again only when its folder or exit file changed.
    """
    try:
        with open_folder(campaign.folder, root) as folder:
            return runs_in(folder, proc=proc, cache=cache if cache is not None else StatCache())
    except FileNotFoundError:
        return CampaignRuns()
    except (OSError, UnsafeFile) as error:
        return CampaignRuns(problems=(f"{campaign.runs}: {reason(error)}",))


def runs_in(campaign: Folder, *, proc: Path = PROC, cache: RunCache) -> CampaignRuns:
    """Return every run of a campaign whose folder is open; see `observe_runs`."""
    try:
        with campaign.enter(_RUNS) as runs:
            return _observe(runs, proc, cache)
    except FileNotFoundError:
        return CampaignRuns()
    except (OSError, UnsafeFile) as error:
        return CampaignRuns(problems=(f"{campaign.text}/{_RUNS}: {reason(error)}",))


def run_number(folder: str) -> tuple[int, int] | None:
    """Return generation and attempt in the name of a run's folder; None when it is no such name."""
    match = re.fullmatch(_RUN_FOLDER, folder)
    return (int(match[1]), int(match[2])) if match else None


def _observe(runs: Folder, proc: Path, cache: RunCache) -> CampaignRuns:
    found: dict[str, _Remembered] = {}
    problems: list[str] = []
    remembered = cache.of(runs.text)
    for name in runs.names():
        try:
            found[name] = _look(runs, name, proc, remembered.get(name))
        except FileNotFoundError:
            continue
        except (OSError, UnsafeFile) as error:
            problems.append(f"{runs.path / printable(name)}: {reason(error)}")
    cache.replace(runs.text, {name: one for name, one in found.items() if is_over(one[1])})
    in_order = sorted((facts for _, facts in found.values()), key=lambda run: (run.generation, run.attempt))
    return CampaignRuns(runs=tuple(in_order), problems=_first(problems, runs.text))


def _first(problems: list[str], where: str) -> tuple[str, ...]:
    """Return the first problems, and how many there are beside them."""
    if (more := len(problems) - MAX_NAMED) <= 0:
        return tuple(problems)
    return (*problems[:MAX_NAMED], f"{where}: and {more:,} more like these")


def _look(runs: Folder, name: str, proc: Path, before: _Remembered | None) -> _Remembered:
    number = run_number(name)
    if number is None:
        raise UnsafeFile("not a run's folder (g<generation>-a<attempt>)")
    with runs.enter(name) as folder:
        key = (signature(folder.own_status()), *_exit_signature(folder))
        return before if before and before[0] == key else (key, _observe_run(folder, number, proc))


def is_over(run: RunFacts) -> bool:
    """Has it said why it left, and is it gone?"""
    return run.exit is not None and not run.alive


def _exit_signature(folder: Folder) -> tuple[Signature, ...]:
    try:
        return (signature(folder.status(_EXIT)),)
    except FileNotFoundError:
        return ()


def _observe_run(folder: Folder, number: tuple[int, int], proc: Path) -> RunFacts:
    names = set(folder.names())
    reader = _Reader(folder, names)
    claim = reader.read(_PROCESS, ProcessIdentity)
    seen = whereabouts(claim, folder.descriptor, proc) if claim is not None else None
    alive = seen is not None and seen.alive
    left = reader.read(_EXIT, RunExit)
    printed = None if alive or claim is None or _EXIT in names else reader.printed_exit()
    return RunFacts(
        folder=folder.text,
        generation=number[0],
        attempt=number[1],
        has_request=_REQUEST in names,
        claimed=_PROCESS in names,
        process=seen.process if seen is not None else None,
        alive=alive,
        unreachable=seen is not None and seen.unreachable,
        status=reader.read(_STATUS, RunStatus),
        orders=reader.read(_ORDERS, Orders, _MAX_ORDERS_BYTES),
        exit=left or printed,
        exit_file=_LOG if printed else _EXIT,
        effective=reader.read(_EFFECTIVE, EffectiveRun) if alive else None,
        problems=tuple(reader.problems),
    )


class _Reader:
    """Reads the files of one run and keeps what was wrong with them."""

    def __init__(self, folder: Folder, names: set[str]) -> None:
        self._folder = folder
        self._names = names
        self.problems: list[str] = []

    def read(self, name: str, record_type: type[Record], max_bytes: int = _MAX_SMALL_BYTES) -> Record | None:
        """Return the record in the file; None when there is none or it has a problem."""
        if name not in self._names:
            return None
        path = self._folder.path / name
        try:
            return decode(self._folder.read(name, max_bytes), record_type, str(path))
        except FileNotFoundError:
            return None
        except ContractError as error:
            self.problems.append(str(error))
        except (OSError, UnsafeFile) as error:
            self.problems.append(f"{path}: {reason(error)}")
        return None

    def printed_exit(self) -> RunExit | None:
        """Return why the trainer left as its log says: the disk had no room for the file that says it."""
        if _LOG not in self._names:
            return None
        try:
            lines = self._folder.tail(_LOG, _TAIL_BYTES).splitlines()
        except (OSError, UnsafeFile) as error:
            self.problems.append(f"{self._folder.path / _LOG}: {reason(error)}")
            return None
        records = (match[1] for line in reversed(lines) if (match := _UNWRITTEN.match(line)))
        return _decoded(next(records, None))


def _decoded(record: bytes | None) -> RunExit | None:
    try:
        return None if record is None else decode(record, RunExit, _LOG)
    except ContractError:  # torn: the disk was full
        return None
