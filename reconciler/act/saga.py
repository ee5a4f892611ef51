"""`saga.jsonl`: the history of a campaign, one line for each thing that was done to it, in its own folder.

The journal in the store is the truth. What it has and the sagas do not is appended: after each tick that did
something, and first of all after a kill. The store remembers up to which number the sagas have it; a kill
between the append and that leaves lines that are found at the file's end, and are not appended twice. Nothing
in a saga is ever rewritten. One that is gone is written anew from the journal.
"""

import os
from collections.abc import Iterable, Iterator, Mapping

import apsw
import msgspec

from reconciler.act.saga_events import lines_of
from state.atomic import append_line, sync_file, sync_folder
from state.formats import decode_record
from state.homes import find_home
from state.inside import InTheWay, read_end, read_file
from state.layout import CampaignLayout, Layout
from state.store.journal_rows import ActionRow
from state.store.rows import CampaignRow
from state.store.tables import get_meta, put_meta, select
from state.store.writer import Writer

MARK = "saga_number"
"""In the store: the number of the last action of the journal that the sagas have."""
_BATCH = 1000
_TORN_BYTES = 64 * 1024
Lines = dict[str, list[bytes]]
"""By the campaign's uid."""


def settle_sagas(layout: Layout, writer: Writer) -> None:
    """Append to each campaign's saga what the journal has beyond it.

    A campaign whose folder is nowhere gets nothing: its history is in the journal, and is written once the
    folder is back and something happens. So does one where something else has the place of its saga, which
    the plan names. What a folder that cannot be read misses is owed, and appended once it can.
    """
    after, is_owed = _mark(writer), False
    while (batch := _next_batch(writer, after)) is not None:
        rows, lines, after = batch
        for row in rows:
            if row.uid in lines:
                try:
                    _pay(layout, writer, row, lines[row.uid])
                except InTheWay:
                    continue
                except PermissionError:
                    is_owed = True
        if not is_owed:
            with writer.transaction() as store:
                put_meta(store, MARK, str(after))


def restore_sagas(layout: Layout, writer: Writer) -> None:
    """Write anew the sagas that are gone, as far as the journal goes back and the others have it."""
    mark = _mark(writer)
    with writer.transaction() as store:
        campaigns = select(store, CampaignRow)
        lines = _lines(store, campaigns, select(store, ActionRow, "WHERE number <= ? ORDER BY number", mark))
    for row in campaigns:
        places = saga_places(layout, row)
        if row.uid in lines and places is not None and not os.path.lexists(places.saga):
            _pay(layout, writer, row, lines[row.uid])


def _mark(writer: Writer) -> int:
    with writer.transaction() as store:
        return int(get_meta(store, MARK) or 0)


def _next_batch(writer: Writer, mark: int) -> tuple[tuple[CampaignRow, ...], Lines, int] | None:
    """Return the campaigns, what is owed to them of the next actions, and the number of the last of these."""
    with writer.transaction() as store:
        where = f"WHERE number > ? AND state != 'intent' ORDER BY number LIMIT {_BATCH}"
        actions = select(store, ActionRow, where, mark)
        if not actions:
            return None
        campaigns = select(store, CampaignRow)
        return campaigns, _lines(store, campaigns, actions), actions[-1].number


def _lines(store: apsw.Connection, campaigns: Iterable[CampaignRow], actions: Iterable[ActionRow]) -> Lines:
    uids = {row.name: row.uid for row in campaigns}
    found: Lines = {}
    for action in actions:
        if action.state == "done":
            for uid, line in lines_of(store, action, uids):
                found.setdefault(uid, []).append(line)
    return found


def _pay(layout: Layout, writer: Writer, row: CampaignRow, lines: list[bytes]) -> None:
    places = saga_places(layout, row)
    if places is None:
        return
    path = places.saga
    is_new = not os.path.lexists(path)
    if is_new:
        lines = [*_older_history(places), *_whole_history(writer, row, lines)]
    written = set(read_end(path, sum(map(len, lines)) + len(lines) + _TORN_BYTES).split(b"\n"))
    owed = [line for line in lines if line not in written]
    for line in owed:
        append_line(path, line)
    sync_file(path)  # also of an earlier try that did not come so far
    sync_folder(path.parent)


def saga_places(layout: Layout, row: CampaignRow) -> CampaignLayout | None:
    """Return where the campaign's folder is, in the trash too; None where it is nowhere."""
    deleted = layout.deleted_campaign(row.uid)
    if row.status == "deleted":  # whatever has its place is not it
        return CampaignLayout(deleted) if deleted.is_dir() else None
    home = find_home(layout, row)
    return home.places if home.places.folder.is_dir() else None


def _whole_history(writer: Writer, row: CampaignRow, lines: list[bytes]) -> list[bytes]:
    """Return every line of the campaign up to the last of these: its saga is not there."""
    first: Mapping[str, object] = decode_record(lines[0])
    if first["event"] == "created":
        return lines
    last = decode_record(lines[-1])["number"]
    with writer.transaction() as store:
        where = "WHERE number <= ? AND state = 'done' ORDER BY number"
        return _lines(store, [row], select(store, ActionRow, where, last)).get(row.uid, [])


def _older_history(places: CampaignLayout) -> Iterator[bytes]:
    """Yield one line with what an older system's saga.json says, if there is one; the file stays as it is."""
    try:
        said = msgspec.json.decode(read_file(places.folder / "saga.json"))
    except (FileNotFoundError, InTheWay, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    yield msgspec.json.encode({"event": "older_history", "what": "saga.json", "record": said})
