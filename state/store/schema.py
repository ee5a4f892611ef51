"""Tables, made from the row types; the version of the schema lies in SQLite's user_version."""

import types
import typing

import apsw
import msgspec

from state.store.journal_rows import ActionRow
from state.store.rows import (
    CampaignRow,
    CopyRow,
    InboxRow,
    JobRow,
    LedgerRow,
    ManifestRow,
    QuestDataRow,
    RequestRow,
    RunRow,
    SegmentRow,
    TrashRow,
)

VERSION = 21


class Table(msgspec.Struct, frozen=True):
    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    """`<name> ON <table> (<columns>)`."""


_LEDGER_PLACE = "ledger_place ON ledger (campaign_uid, segment, step)"
_ACTIONS_OF = "actions_of ON actions (id)"
_ACTIONS_FAILED = "actions_failed ON actions (epoch) WHERE state = 'failed' AND permanent"

TABLES = {
    table.row: table
    for table in (
        Table("campaigns", CampaignRow, ("uid",), ("name",)),
        Table("runs", RunRow, ("campaign_uid", "generation", "attempt")),
        Table("segments", SegmentRow, ("campaign_uid", "number")),
        Table("jobs", JobRow, ("uid",), ("id",)),
        Table("quest_data", QuestDataRow, ("source_key",)),
        Table("inbox", InboxRow, ("quest_id",)),
        Table("ledger", LedgerRow, ("sequence",), indexes=(_LEDGER_PLACE,)),
        Table("manifests", ManifestRow, ("digest",)),
        Table("copies", CopyRow, ("sequence", "path")),
        Table("actions", ActionRow, ("number",), indexes=(_ACTIONS_OF, _ACTIONS_FAILED)),
        Table("requests", RequestRow, ("id",)),
        Table("trash", TrashRow, ("sequence",)),
    )
}


class StoreTooNew(Exception):
    """The store was written by a newer version of this software."""


def prepare(connection: apsw.Connection) -> None:
    """Create the tables, bring those of an earlier version here, or leave those of this version alone.

    Raises:
        StoreTooNew: a newer version wrote this store.
    """
    found = version_of(connection)
    if found == VERSION:
        return
    with connection:
        if found == 0:
            _create(connection)
        for step in range(found or VERSION, VERSION):
            _STEPS[step](connection)
        connection.pragma("user_version", VERSION)


def version_of(connection: apsw.Connection) -> int:
    """Return the version of the store's schema; 0 of a store without tables.

    Raises:
        StoreTooNew: a newer version wrote this store.
    """
    found = int(connection.pragma("user_version"))
    if found > VERSION:
        raise StoreTooNew(f"the store has schema version {found}; this software knows {VERSION}; upgrade it")
    return found


def _create(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID")
    for table in TABLES.values():
        connection.execute(_create_statement(table))
        for index in table.indexes:
            connection.execute(f"CREATE INDEX {index}")


def _from_1(connection: apsw.Connection) -> None:
    """A step may be saved again when its checkpoint was lost, so the ledger's key is the sequence."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ledger'").fetchone()
    old_key = "PRIMARY KEY (campaign_uid, segment, step), UNIQUE (sequence)"
    statement = str((found or ("",))[0]).replace(old_key, "PRIMARY KEY (sequence)")
    connection.execute("ALTER TABLE ledger RENAME TO ledger_1")
    connection.execute(statement)
    connection.execute("INSERT INTO ledger SELECT * FROM ledger_1")
    connection.execute("DROP TABLE ledger_1")
    connection.execute("ALTER TABLE ledger ADD COLUMN damage TEXT")
    connection.execute("ALTER TABLE actions ADD COLUMN permanent INTEGER NOT NULL DEFAULT 0")
    for index in (_LEDGER_PLACE, _ACTIONS_OF, _ACTIONS_FAILED):
        connection.execute(f"CREATE INDEX {index}")


def _from_2(connection: apsw.Connection) -> None:
    """Campaigns can be archived, begin from a checkpoint, and keep what their spec said."""
    for column in (
        "card_json TEXT NOT NULL DEFAULT ''",
        "archived_at TEXT",
        "starting_from TEXT",
        "starting_checkpoint TEXT",
        "starting_step INTEGER NOT NULL DEFAULT 0",
        "starting_digest TEXT",
        "parent_uid TEXT",
    ):
        connection.execute(f"ALTER TABLE campaigns ADD COLUMN {column}")
    for column in ("tokens_seen", "quests_done"):
        connection.execute(f"ALTER TABLE ledger ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")


def _from_3(connection: apsw.Connection) -> None:
    """Checkpoints can be dropped (tombstones, times); a running trainer can be told another config."""
    for column in ("generation INTEGER", "config_hash TEXT", "config_json TEXT", "specs_commit TEXT"):
        connection.execute(f"ALTER TABLE runs ADD COLUMN told_{column}")
    connection.execute("ALTER TABLE ledger ADD COLUMN recorded_at_seconds REAL NOT NULL DEFAULT 0")
    connection.execute(
        "CREATE TABLE trash (sequence INTEGER NOT NULL, campaign_uid TEXT NOT NULL, campaign TEXT NOT NULL, "
        "step INTEGER NOT NULL, digest TEXT NOT NULL, origin TEXT NOT NULL, path TEXT NOT NULL, "
        "size_bytes INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, trashed_at TEXT NOT NULL, "
        "trashed_at_seconds REAL NOT NULL, grace_seconds REAL NOT NULL, clean_ticks INTEGER NOT NULL, "
        "state TEXT NOT NULL, ended_at TEXT, PRIMARY KEY (sequence)) STRICT, WITHOUT ROWID"
    )


def _from_4(connection: apsw.Connection) -> None:
    """Jobs are parts of a quest, and know how often they failed; requests may be about a quest."""
    for column in (
        "part INTEGER NOT NULL DEFAULT 1",
        "follows INTEGER NOT NULL DEFAULT 0",
        "failures INTEGER NOT NULL DEFAULT 0",
        "demoted INTEGER NOT NULL DEFAULT 0",
    ):
        connection.execute(f"ALTER TABLE jobs ADD COLUMN {column}")
    connection.execute("ALTER TABLE requests ADD COLUMN quest TEXT")


def _from_5(connection: apsw.Connection) -> None:
    """Files are taken in from the inbox; pins and tags stay with a checkpoint; approvals say of what."""
    connection.execute(
        "CREATE TABLE inbox (quest_id TEXT NOT NULL, name TEXT NOT NULL, source_key TEXT NOT NULL, "
        "digest TEXT NOT NULL, num_rows INTEGER NOT NULL, size_bytes INTEGER NOT NULL, "
        "shape_json TEXT NOT NULL, taken_at TEXT NOT NULL, PRIMARY KEY (quest_id)) STRICT, WITHOUT ROWID"
    )
    connection.execute("ALTER TABLE requests ADD COLUMN approves_json TEXT")
    connection.execute("ALTER TABLE ledger ADD COLUMN marks_json TEXT NOT NULL DEFAULT ''")


def _from_6(connection: apsw.Connection) -> None:
    """What a checkpoint had learnt is kept when its weights go."""
    connection.execute(
        "CREATE TABLE manifests (digest TEXT NOT NULL, manifest_json TEXT NOT NULL, PRIMARY KEY (digest)) "
        "STRICT, WITHOUT ROWID"
    )


def _from_7(connection: apsw.Connection) -> None:
    """What is taken back overrules the line that stands; until now no line took it again, or always."""
    connection.execute("ALTER TABLE trash ADD COLUMN overrules TEXT")
    connection.execute(
        "UPDATE trash SET overrules = iif(sequence < 0, 'state: deleted', 'keep: metrics') "
        "WHERE state = 'restored'"
    )


def _from_8(connection: apsw.Connection) -> None:
    """A campaign's history has segments."""
    connection.execute(
        "CREATE TABLE segments (campaign_uid TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, "
        "wanted TEXT NOT NULL, reason TEXT NOT NULL, parent_segment INTEGER NOT NULL, "
        "parent_step INTEGER NOT NULL, parent_digest TEXT, rate_factor REAL NOT NULL, updates INTEGER, "
        "final_ratio REAL, begun_at TEXT NOT NULL, ready_at TEXT, PRIMARY KEY (campaign_uid, number)) "
        "STRICT, WITHOUT ROWID"
    )
    connection.execute("ALTER TABLE runs ADD COLUMN segment INTEGER NOT NULL DEFAULT 1")
    connection.execute("ALTER TABLE trash ADD COLUMN segment INTEGER")


def _from_9(connection: apsw.Connection) -> None:
    """The ledger has what checkpoints were examined in."""
    connection.execute("ALTER TABLE ledger ADD COLUMN skills_json TEXT NOT NULL DEFAULT ''")


def _from_10(connection: apsw.Connection) -> None:
    """What runs took of memory is kept, for those of the same model and settings that come later."""
    connection.execute("ALTER TABLE runs ADD COLUMN peak_memory_bytes INTEGER")


def _from_11(connection: apsw.Connection) -> None:
    """Checkpoints are read again, and copied elsewhere; people can ask for both."""
    connection.execute("ALTER TABLE ledger ADD COLUMN verified_at TEXT")
    connection.execute("ALTER TABLE requests ADD COLUMN details_json TEXT")
    connection.execute(
        "CREATE TABLE copies (sequence INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, "
        "digest TEXT NOT NULL, size_bytes INTEGER NOT NULL, made_at TEXT NOT NULL, checked_at TEXT NOT NULL, "
        "damage TEXT, PRIMARY KEY (sequence, path)) STRICT, WITHOUT ROWID"
    )


def _from_12(connection: apsw.Connection) -> None:
    """What a run did and in what time is kept, with what was expected of it."""
    connection.execute("ALTER TABLE runs ADD COLUMN num_updates INTEGER")
    connection.execute("ALTER TABLE runs ADD COLUMN num_tokens INTEGER")
    for column in ("busy", "expected", "expected_low", "expected_high"):
        connection.execute(f"ALTER TABLE runs ADD COLUMN {column}_seconds REAL")


def _from_13(connection: apsw.Connection) -> None:
    """Files say the rows again, so that a lost store can be made from them: all of them are owed at first."""
    owners = [str(uid) for (uid,) in connection.execute("SELECT uid FROM campaigns")]
    owners += [str(digest) for (digest,) in connection.execute("SELECT digest FROM manifests")]
    noted = msgspec.json.encode(sorted([*owners, "realm"])).decode()
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('owed_rows', ?)", (noted,))


def _from_14(connection: apsw.Connection) -> None:
    """A campaign can be renamed, and keeps its uid, its folder and the names that it had."""
    connection.execute("ALTER TABLE campaigns ADD COLUMN former_names TEXT NOT NULL DEFAULT ''")


def _from_15(connection: apsw.Connection) -> None:
    """A checkpoint can keep its weights only, while its full form lies in the trash."""
    connection.execute("ALTER TABLE trash ADD COLUMN keeps TEXT")


def _from_16(connection: apsw.Connection) -> None:
    """What a run took of energy is kept, where its GPU says it."""
    connection.execute("ALTER TABLE runs ADD COLUMN energy_joules REAL")


def _from_17(connection: apsw.Connection) -> None:
    """What is taken in from the inbox keeps its place in the queue, also within one second."""
    connection.execute("ALTER TABLE inbox ADD COLUMN number INTEGER NOT NULL DEFAULT 0")


def _from_18(connection: apsw.Connection) -> None:
    """What keeps its weights only is read again in its full form, too; a copy may be out of reach."""
    connection.execute("ALTER TABLE copies ADD COLUMN unreachable TEXT")
    connection.execute("ALTER TABLE trash ADD COLUMN damage TEXT")
    connection.execute("ALTER TABLE trash ADD COLUMN verified_at TEXT")


def _from_19(connection: apsw.Connection) -> None:
    """That its spec wanted a deleted campaign again is kept with what lies in the trash."""
    connection.execute("ALTER TABLE trash ADD COLUMN wanted_at TEXT")


def _from_20(connection: apsw.Connection) -> None:
    """What was done says of which plan it was."""
    connection.execute("ALTER TABLE actions ADD COLUMN plan_digest TEXT")


_STEPS = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
    5: _from_5,
    6: _from_6,
    7: _from_7,
    8: _from_8,
    9: _from_9,
    10: _from_10,
    11: _from_11,
    12: _from_12,
    13: _from_13,
    14: _from_14,
    15: _from_15,
    16: _from_16,
    17: _from_17,
    18: _from_18,
    19: _from_19,
    20: _from_20,
}
"""By version: what brings a store from it to the next one. Not made from the row types, which move on."""


def _create_statement(table: Table) -> str:
    columns = [f"{field.name} {_column_type(field)}" for field in msgspec.structs.fields(table.row)]
    columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
    columns += [f"UNIQUE ({name})" for name in table.unique]
    return f"CREATE TABLE {table.name} ({', '.join(columns)}) STRICT, WITHOUT ROWID"


def _column_type(field: msgspec.structs.FieldInfo) -> str:
    options = typing.get_args(field.type) if _is_union(field.type) else (field.type,)
    kinds = {_sql_type(option) for option in options if option is not type(None)}
    (kind,) = kinds
    return kind if type(None) in options else f"{kind} NOT NULL"


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _sql_type(annotation: object) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return "TEXT"
    if annotation is bool or annotation is int:
        return "INTEGER"
    return {str: "TEXT", float: "REAL"}[annotation]  # type: ignore[index]  # a row type with another field fails here
