"""Stores as earlier versions of the schema made them."""

from pathlib import Path

import msgspec
from sample_rows import CAMPAIGN, RUN, sample

from state.store.connection import open_writer
from state.store.journal_rows import ActionRow
from state.store.rows import LedgerRow
from state.store.schema import VERSION
from state.store.tables import put
from state.store.writer import Writer

CAME_WITH: dict[int, tuple[str, ...]] = {
    8: ("trash.overrules",),
    9: ("segments", "runs.segment", "trash.segment"),
    10: ("ledger.skills_json",),
    11: ("runs.peak_memory_bytes",),
    12: ("ledger.verified_at", "requests.details_json", "copies"),
    13: (
        *("runs.num_updates", "runs.num_tokens", "runs.busy_seconds"),
        *("runs.expected_seconds", "runs.expected_low_seconds", "runs.expected_high_seconds"),
    ),
    15: ("campaigns.former_names",),
    16: ("trash.keeps",),
    17: ("runs.energy_joules",),
    18: ("inbox.number",),
    19: ("copies.unreachable", "trash.damage", "trash.verified_at"),
    20: ("trash.wanted_at",),
    21: ("actions.plan_digest",),
}
"""By version: the tables and columns that it added. Version 14 added none."""

LEDGER_1 = (
    "CREATE TABLE ledger (campaign_uid TEXT NOT NULL, segment INTEGER NOT NULL, step INTEGER NOT NULL, "
    "sequence INTEGER NOT NULL, timestamp TEXT NOT NULL, path TEXT NOT NULL, canonical_name TEXT NOT NULL, "
    "train_loss REAL, val_loss REAL, learning_rate REAL, training_file TEXT, "
    "total_examples_trained INTEGER NOT NULL, size_bytes INTEGER NOT NULL, has_optimizer INTEGER NOT NULL, "
    "healthy INTEGER NOT NULL, digest TEXT NOT NULL, parent_step INTEGER, generation INTEGER NOT NULL, "
    "attempt INTEGER NOT NULL, config_hash TEXT NOT NULL, code_version TEXT NOT NULL, "
    "specs_commit TEXT NOT NULL, PRIMARY KEY (campaign_uid, segment, step), UNIQUE (sequence)) "
    "STRICT, WITHOUT ROWID"
)
ACTIONS_1 = (
    "CREATE TABLE actions (number INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, "
    "subject TEXT NOT NULL, payload_json TEXT NOT NULL, reason TEXT NOT NULL, cause TEXT NOT NULL, "
    "specs_commit TEXT NOT NULL, state TEXT NOT NULL, epoch INTEGER NOT NULL, begun_at TEXT NOT NULL, "
    "ended_at TEXT, outcome TEXT, PRIMARY KEY (number)) STRICT, WITHOUT ROWID"
)
CAMPAIGNS_1 = (
    "CREATE TABLE campaigns (uid TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, "
    "created_at TEXT NOT NULL, segment INTEGER NOT NULL, generation INTEGER NOT NULL, config_hash TEXT, "
    "code_version TEXT, specs_commit TEXT, hold TEXT, hold_by TEXT, hold_why TEXT, hold_at TEXT, "
    "forgiven_at TEXT, PRIMARY KEY (uid), UNIQUE (name)) STRICT, WITHOUT ROWID"
)
RUNS_1 = (
    "CREATE TABLE runs (campaign_uid TEXT NOT NULL, generation INTEGER NOT NULL, attempt INTEGER NOT NULL, "
    "state TEXT NOT NULL, cookie TEXT NOT NULL, config_hash TEXT NOT NULL, config_json TEXT NOT NULL, "
    "code_version TEXT NOT NULL, specs_commit TEXT NOT NULL, device TEXT NOT NULL, resume_step INTEGER, "
    "launched_at TEXT NOT NULL, pid INTEGER, ended_at TEXT, end TEXT, failure_class TEXT, message TEXT, "
    "quest_id TEXT, final_step INTEGER, last_checkpoint_step INTEGER, "
    "PRIMARY KEY (campaign_uid, generation, attempt)) STRICT, WITHOUT ROWID"
)


def store_of_version(path: Path, version: int, *rows: msgspec.Struct) -> None:
    """Make a store with these rows as this version left it, of those after the sixth."""
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, rows)
        for later in range(VERSION, version, -1):
            for added in CAME_WITH.get(later, ()):
                table, _, column = added.partition(".")
                store.execute(
                    f"ALTER TABLE {table} DROP COLUMN {column}" if column else f"DROP TABLE {table}"
                )
        store.pragma("user_version", version)
    writer.close()


def store_of_version_1(path: Path) -> tuple[LedgerRow, ActionRow]:
    """Make a store as the first version did; return what is in it."""
    ledger, action = sample(LedgerRow), sample(ActionRow)
    assert isinstance(ledger, LedgerRow)
    assert isinstance(action, ActionRow)
    connection = open_writer(path)
    tables = (
        *(("ledger", LEDGER_1, ledger), ("actions", ACTIONS_1, action)),
        *(("campaigns", CAMPAIGNS_1, CAMPAIGN), ("runs", RUNS_1, RUN)),
    )
    connection.execute("DROP TABLE trash")
    for column in ("part", "follows", "failures", "demoted"):
        connection.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
    connection.execute("DROP TABLE inbox")
    connection.execute("DROP TABLE manifests")
    connection.execute("DROP TABLE segments")
    connection.execute("DROP TABLE copies")
    for column in ("quest", "approves_json", "details_json"):
        connection.execute(f"ALTER TABLE requests DROP COLUMN {column}")
    for table, statement, row in tables:
        connection.execute(f"DROP TABLE {table}")
        connection.execute(statement)
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [getattr(row, name) for name in names]
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", values)  # noqa: S608
    connection.pragma("user_version", 1)
    connection.close()
    return ledger, action


def assert_is_as_new(path: Path) -> None:
    """Assert that, opened by this version, its tables, columns and indexes are those of a new store."""
    found = []
    for place in (path, path.with_name("new.db")):
        connection = open_writer(place)
        names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY type, name").fetchall()
        columns = [
            connection.execute(f"PRAGMA table_info({name})").fetchall()
            for kind, name in names
            if kind == "table"
        ]
        found.append((names, [[column[:4] for column in table] for table in columns]))
        connection.close()
    assert found[0] == found[1]
