"""What lies in the inbox: which files could be taken in now, which not yet, and what is left alone.

No link is followed and no folder outside is entered. A file that keeps growing delays nobody but itself.
They stand in the order in which they came. The time of change that a file carries says nothing of that: a
copy may keep that of its original (`cp -p`), of last year or of the future. The kernel notes on its own when
a file was made, moved in or changed; this stays over restarts, and nobody needs to have been here to see it.
"""

import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.observed.data_records import InboxFacts, InboxFile
from reconciler.observed.fact_cache import FactCache
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, printable, reason, signature
from reconciler.observed.records import ForeignFolder
from reconciler.observed.taken_in import NONE_TAKEN_IN, TakenIn
from state.contract.row_contracts import RowContract
from state.layout import Layout

MAX_ENTRIES = 10_000
_MAX_DEPTH = 16
_SUFFIX = ".jsonl"
_PARTIAL = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")


class _Look:
    """One look at the inbox."""

    def __init__(
        self, contracts: Sequence[RowContract], now: str, cache: FactCache | None, taken: TakenIn
    ) -> None:
        self.contracts, self.now, self.cache, self.taken = contracts, now, cache, taken
        self.files: list[InboxFile] = []
        self.ignored: list[ForeignFolder] = []
        self.num_seen = self.num_unseen = 0


def observe_inbox(
    layout: Layout,
    contracts: Sequence[RowContract],
    now: str,
    cache: FactCache | None = None,
    taken: TakenIn = NONE_TAKEN_IN,
) -> InboxFacts:
    """Return what lies in the inbox at this moment (ISO-8601, UTC); its rows keep one of the contracts.

    `taken`: what was taken in from there before; of a file that begins with it, only the rest counts.
    """
    look = _Look(contracts, now, cache, taken)
    try:
        with open_folder(layout.inbox, layout.root) as folder:
            _look_into(look, folder, "", 0)
    except FileNotFoundError:
        return InboxFacts()
    except (OSError, UnsafeFile) as error:
        return InboxFacts(problem=f"{layout.inbox}: {reason(error)}")
    return InboxFacts(
        files=tuple(sorted(look.files, key=lambda file: (file.arrived_ns, file.mtime_ns, file.name))),
        ignored=tuple(look.ignored),
        num_unseen=look.num_unseen,
    )


def _look_into(look: _Look, folder: Folder, below: str, depth: int) -> None:
    for name in folder.names():
        if look.num_seen >= MAX_ENTRIES:
            look.num_unseen += 1
            continue
        look.num_seen += 1
        try:
            _look_at(look, folder, name, f"{below}{name}", depth)
        except FileNotFoundError:
            continue  # it went while we looked
        except (OSError, UnsafeFile) as error:
            _ignore(look, folder, name, f"{below}{name}", reason(error))


def _look_at(look: _Look, folder: Folder, name: str, where: str, depth: int) -> None:
    status = folder.status(name)
    if stat.S_ISDIR(status.st_mode) and not name.startswith("."):
        if depth >= _MAX_DEPTH:
            _ignore(look, folder, name, where, f"lies deeper than {_MAX_DEPTH} folders")
            return
        with folder.enter(name) as inner:
            _look_into(look, inner, f"{where}/", depth + 1)
    elif (why := _why_ignored(name, where, status.st_mode)) is not None:
        _ignore(look, folder, name, where, why)
    else:
        look.files.append(_file(look, folder, name, where))


def _why_ignored(name: str, where: str, mode: int) -> str | None:
    if stat.S_ISLNK(mode):
        return "is a link, which is not followed"
    if name.startswith("."):
        return "is hidden"
    if name.endswith(_PARTIAL):
        return "is a partial copy by its name"
    if not name.endswith(_SUFFIX):
        return f"is no *{_SUFFIX} file"
    if not stat.S_ISREG(mode):
        return "is no plain file"
    return None if where.isprintable() else "has a name that cannot be printed"


def _ignore(look: _Look, folder: Folder, name: str, where: str, why: str) -> None:
    path = str(folder.path / printable(name))
    look.ignored.append(ForeignFolder(path=path, name=printable(where), reason=why))


def _file(look: _Look, folder: Folder, name: str, where: str) -> InboxFile:
    path = folder.path / name
    try:
        with folder.open_file(name) as descriptor:
            return _open_file(look, descriptor, path, where)
    except PermissionError as error:
        return InboxFile(name=where, path=str(path), state="unreadable", reason=reason(error))


def _open_file(look: _Look, descriptor: int, path: Path, where: str) -> InboxFile:
    from reconciler.observed.quest_files import observe_open_file
    from reconciler.observed.settled import state_of

    seen = signature(os.fstat(descriptor))
    state = state_of(descriptor, seen, look.now)
    file = InboxFile(
        name=where,
        path=str(path),
        state=state,
        size_bytes=seen.size_bytes,
        mtime_ns=seen.mtime_ns,
        arrived_ns=seen.ctime_ns,
        changed_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seen.mtime_ns // 10**9)),
    )
    if state != "settled":
        return file
    content = observe_open_file(descriptor, where, path, look.contracts, look.cache, look.taken)
    if signature(os.fstat(descriptor)) != seen:
        return msgspec.structs.replace(file, state="changing")
    return msgspec.structs.replace(
        file,
        sha256=content.sha256,
        content=content.content,
        start_byte=content.start_byte,
        findings=content.findings,
    )
