"""The job history: one line for each job that ended, appended once, whatever is killed in between.

The line is owed in the same transaction that ends the job, and paid by appending it. Whoever performs next
pays what a kill left owed, unless the file's end shows that it was paid.
"""

from contextlib import suppress

import apsw
import msgspec

from reconciler.act.tools import Tools
from state.atomic import append_line, ensure_folder, sync_file, sync_folder
from state.formats import job_record
from state.inside import InTheWay, read_end
from state.store.rows import JobRow
from state.store.tables import get_meta, put_meta

_OWED = "job_history_owed"
_TAIL_BYTES = 1024 * 1024


def owe_line(store: apsw.Connection, job: JobRow) -> None:
    """Remember, in the transaction that ends the job, that its line is to be written."""
    lines = _owed(store)
    lines.append(msgspec.json.encode(job_record(job)).decode())
    put_meta(store, _OWED, msgspec.json.encode(lines).decode())


def settle_history(tools: Tools) -> None:
    """Append the lines that are owed and not yet in the file.

    While something else has the file's place, which the plan names, the lines stay owed.
    """
    with suppress(InTheWay):
        _pay(tools)


def _pay(tools: Tools) -> None:
    with tools.writer.transaction() as store:
        owed = _owed(store)
    if not owed:
        return
    path = tools.layout.job_history
    ensure_folder(path.parent)
    written = set(read_end(path, _TAIL_BYTES).split(b"\n"))
    for line in owed:
        if line.encode() not in written:
            append_line(path, line.encode())
    sync_file(path)
    sync_folder(path.parent)  # the file may be new
    with tools.writer.transaction() as store:
        put_meta(store, _OWED, "")


def _owed(store: apsw.Connection) -> list[str]:
    text = get_meta(store, _OWED)
    return msgspec.json.decode(text, type=list[str]) if text else []
