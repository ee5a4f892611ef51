"""Whose rows a transaction changed: noted in that very transaction, until files say it (`row_files`)."""

from collections.abc import Callable, Collection, Sequence

import apsw
import msgspec

from state.store.journal_rows import ActionRow
from state.store.rows import CampaignRow, ManifestRow, RequestRow
from state.store.schema import TABLES
from state.store.tables import get_meta, put_meta

REALM = "realm"
"""Whose the rows are that are of no campaign."""
NOT_MIRRORED = (ActionRow, RequestRow)
"""What only happens: the journal, and what people ask for."""
MIRRORED_META = (
    *("realm_id", "realm_uid", "active_uid", "activated_at", "applied_commit", "applied_at"),
    "unseen_places",
)
BESIDE_META = (
    "observed_seconds",
    "observed_at",
    "observed_boot",
    "clean_ticks",
    "newest_number",
    "root_place",
    "trusted_commit",
    "trusted_branch",
    "named_commit",
    "renamed_since",
)
"""What moves with every tick: said as it is when the others are."""
_KEY = "owed_rows"


def watch_changes(connection: apsw.Connection, changed: Callable[[str], None]) -> None:
    """Call `changed` with the owner of each row that is written, replaced or removed from now on."""

    def see(update: apsw.PreUpdate) -> None:
        for values in (update.old, update.new):
            if values is not None and (owner := _owner(update.table_name, values)) is not None:
                changed(owner)

    connection.preupdate_hook(see)


def owed_rows(connection: apsw.Connection) -> tuple[str, ...]:
    """Return whose rows no file says yet, sorted: campaigns' uids, digests of manifests, `REALM`."""
    noted = get_meta(connection, _KEY)
    return tuple(msgspec.json.decode(noted, type=list[str])) if noted else ()


def owe_rows(connection: apsw.Connection, owners: Collection[str]) -> None:
    """Note, beside what is noted already, whose rows a file has to say."""
    if owners:
        _put(connection, {*owed_rows(connection), *owners})


def rows_are_said(connection: apsw.Connection, owners: Collection[str]) -> None:
    """Take back the note of these."""
    _put(connection, {*owed_rows(connection)} - {*owners})


def _put(connection: apsw.Connection, owners: Collection[str]) -> None:
    put_meta(connection, _KEY, msgspec.json.encode(sorted(owners)).decode())


def _owner(table: str, values: Sequence[object]) -> str | None:
    place = _PLACES.get(table)
    if table == "meta":
        return REALM if values[0] in MIRRORED_META else None
    if place is None:
        return None
    return REALM if place < 0 else str(values[place])


def _place_of_owner(row_type: type[msgspec.Struct]) -> int:
    """Return which of a row's values says whose it is; -1: it is the realm's."""
    key = {CampaignRow: "uid", ManifestRow: "digest"}.get(row_type, "campaign_uid")
    names = row_type.__struct_fields__
    return names.index(key) if key in names else -1


_PLACES = {
    table.name: _place_of_owner(row_type)
    for row_type, table in TABLES.items()
    if row_type not in NOT_MIRRORED
}
