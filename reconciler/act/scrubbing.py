"""Read checkpoints again, a few seconds at a time, and write down what was found.

One turn is short, so that a pause, a commit or a trainer that left never waits for terabytes; and it ends at
once when a person asks for something. What was read of a file is kept in memory between two turns; a kill
loses one file of it at most, since the store knows which files of a checkpoint were right.
"""

import time

import apsw
import msgspec

from reconciler.act.derived import write_campaign_file
from reconciler.act.rereading import Reader
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import mirror
from reconciler.act.tools import Tools
from reconciler.plan.actions import ReadAgain, Reading
from state.amounts import count, size
from state.failpoints import reach
from state.store.rows import CopyRow, LedgerRow, ScrubPosition, TrashRow
from state.store.tables import put, put_meta, select_one

TURN_SECONDS = 5.0
_NAP_SECONDS = 0.05


def read_again(action: ReadAgain, tools: Tools) -> str:
    """Read what comes next until the turn is over; each checkpoint is written down when it is done.

    Raises:
        OSError: something cannot be read now, which says nothing about what lies there.
    """
    turn, said, reader = _Turn(action.rate_bytes, tools), [], tools.reader
    reader.from_memory = None
    for number, reading in enumerate(action.readings):
        reader.open(reading, tools.layout.root, skip_bytes=action.read_bytes if number == 0 else 0)
        while not reader.is_done and not turn.is_over():
            turn.took(reader.read_on())
        if not reader.is_done:
            _keep_position(tools, reading, reader.read_bytes)
            break
        said.append(_write_down(action, reading, tools))
        reader.close()
        if turn.is_over():
            break
    found = [text for text in said if text]
    memory = f"; not past the cache: {reader.from_memory} lies in memory" if reader.from_memory else ""
    return f"{count(len(said), 'checkpoint')}, {size(turn.taken)} read{memory}" + "".join(
        f"; {text}" for text in found
    )


class _Turn:
    """How much may be read in this turn, and how fast."""

    def __init__(self, rate_bytes: int | None, tools: Tools) -> None:
        self._rate, self._tools, self._begun = rate_bytes, tools, time.monotonic()
        self.taken = 0

    def is_over(self) -> bool:
        tools = self._tools
        return time.monotonic() - self._begun >= TURN_SECONDS or tools.interrupted() or tools.asked()

    def took(self, num_bytes: int) -> None:
        """Count what was read, and wait while that was faster than allowed."""
        self.taken += num_bytes
        due = self._begun + (self.taken / self._rate if self._rate else 0.0)
        while time.monotonic() < due and not self.is_over():
            time.sleep(min(_NAP_SECONDS, max(0.0, due - time.monotonic())))


def _keep_position(tools: Tools, reading: Reading, read_bytes: int) -> None:
    position = ScrubPosition(path=reading.path, digest=reading.digest, read_bytes=read_bytes)
    with tools.writer.transaction() as store:
        put_meta(store, "scrub", msgspec.json.encode(position).decode())


def _write_down(action: ReadAgain, reading: Reading, tools: Tools) -> str:
    """Write what was found of one checkpoint into the store; return it, empty where all was right."""
    reach("scrub.found")
    reader, moment = tools.reader, max(tools.now(), action.before)
    with tools.writer.transaction() as store:
        put_meta(store, "scrub", "")
        found = [row for row in [_found(store, reading, reader, moment)] if row is not None]
        put(store, found)
    for row in found:
        _tell(tools, reading, row)
    wrong = f"out of reach: {reader.unreachable}" if reader.unreachable else reader.damage
    return f"{reading.campaign}@{reading.which} in {reading.path}: {wrong}" if wrong else ""


def _found(
    store: apsw.Connection, reading: Reading, reader: Reader, moment: str
) -> CopyRow | TrashRow | LedgerRow | None:
    """Return the row that says what was found, wherever that is written down."""
    if reading.place == "copy":
        where = "WHERE sequence = ? AND path = ?"
        copy = select_one(store, CopyRow, where, reading.sequence, reading.path)
        return _of_copy(copy, reader, moment) if copy else None
    if reading.place == "full form":
        stone = select_one(store, TrashRow, "WHERE sequence = ?", reading.sequence)
        return _of_full_form(stone, reader.damage, moment) if stone else None
    row = select_one(store, LedgerRow, "WHERE sequence = ?", reading.sequence)
    return _of_checkpoint(row, reader, moment) if row else None


def _of_copy(copy: CopyRow, reader: Reader, moment: str) -> CopyRow:
    """Return what was found of a copy; of one out of reach nothing is known that was not before."""
    damage = copy.damage if reader.unreachable else reader.damage
    return msgspec.structs.replace(copy, checked_at=moment, damage=damage, unreachable=reader.unreachable)


def _of_full_form(stone: TrashRow, damage: str | None, moment: str) -> TrashRow:
    if damage is not None:
        return msgspec.structs.replace(stone, damage=damage)
    return msgspec.structs.replace(stone, damage=None, verified_at=moment)


def _of_checkpoint(row: LedgerRow, reader: Reader, moment: str) -> LedgerRow:
    if reader.damage is not None:
        return msgspec.structs.replace(row, damage=reader.damage, healthy=False)
    return msgspec.structs.replace(row, damage=None, healthy=reader.healthy, verified_at=moment)


def _tell(tools: Tools, reading: Reading, row: CopyRow | TrashRow | LedgerRow) -> None:
    """Let the files that repeat a row say what was found."""
    if isinstance(row, TrashRow):
        mirror(tools, row)
    elif isinstance(row, LedgerRow) and row.damage is not None:
        write_campaign_file(tools, reading.campaign_uid, reading.campaign)
        write_status_files(tools, reading.campaign_uid, reading.campaign)
