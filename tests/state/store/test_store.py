"""The store: rows are what they were, one writer at a time, and readers change nothing."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from children import in_child

from state import failpoints
from state.store import requests, schema
from state.store.connection import StoreDamaged, open_reader, open_writer
from state.store.older_copy import Written
from state.store.rows import (
    ActionRow,
    CampaignRow,
    CopyRow,
    InboxRow,
    LedgerRow,
    RunRow,
    TrashRow,
    TrashState,
)
from state.store.schema import TABLES, StoreTooNew
from state.store.tables import get_meta, put, put_meta, select, select_one
from state.store.view import read_view
from state.store.writer import LostLock, Writer

ROW = CampaignRow(uid="u", name="dio/campaign-001", status="paused", created_at="2026-01-31T12:00:00Z")


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.observe(None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "realm.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(open_writer(path))
    yield writer
    writer.close()


def sample(row_type: type[msgspec.Struct]) -> msgspec.Struct:
    """Return a row in which every field that needs a value has one."""
    values = {int: 1, str: "x", bool: True, float: 0.5}
    given = {}
    for field in msgspec.structs.fields(row_type):
        if field.required:
            options = getattr(field.type, "__args__", (field.type,))
            given[field.name] = values.get(options[0], options[0] if isinstance(options[0], str) else None)
    return row_type(**given)


@pytest.mark.parametrize("row_type", list(TABLES), ids=lambda row_type: row_type.__name__)
def test_a_row_comes_back_as_it_was_written(row_type: type[msgspec.Struct], writer: Writer) -> None:
    row = sample(row_type)
    with writer.transaction() as store:
        put(store, [row])

        assert select(store, row_type) == (row,)


def test_a_row_with_the_same_key_is_replaced(writer: Writer) -> None:
    with writer.transaction() as store:
        put(store, [ROW, msgspec.structs.replace(ROW, status="active")])

        assert [row.status for row in select(store, CampaignRow)] == ["active"]


def test_two_campaigns_cannot_have_one_name(writer: Writer) -> None:
    with pytest.raises(apsw.ConstraintError, match=r"campaigns\.name"), writer.transaction() as store:
        put(store, [ROW, msgspec.structs.replace(ROW, uid="v")])


def test_the_journal_may_have_one_action_twice(writer: Writer) -> None:
    first = msgspec.structs.replace(sample(ActionRow), id="same", number=1, state="done")
    with writer.transaction() as store:
        put(store, [first, msgspec.structs.replace(first, number=2)])

        assert [row.number for row in select(store, ActionRow)] == [1, 2]


def test_the_ledger_keeps_every_save_of_a_step(writer: Writer) -> None:
    """The wrong turn: the ledger was keyed by bare step."""
    first = msgspec.structs.replace(sample(LedgerRow), step=100, sequence=1)
    others = [
        msgspec.structs.replace(first, segment=2, sequence=2),
        msgspec.structs.replace(first, sequence=3),
    ]
    with writer.transaction() as store:
        put(store, [first, *others])

        assert len(select(store, LedgerRow)) == 3


def test_a_transaction_that_fails_leaves_nothing(writer: Writer, path: Path) -> None:
    def write_and_fail() -> None:
        with writer.transaction() as store:
            put(store, [ROW])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()

    with open_reader(path) as store:
        assert select(store, CampaignRow) == ()


def test_a_commit_that_fails_leaves_nothing_and_the_next_one_works(writer: Writer) -> None:
    failpoints.observe(lambda name: failpoints._produce("ENOSPC", name) if name == "store.commit" else None)
    with pytest.raises(OSError, match="No space left"), writer.transaction() as store:
        put(store, [ROW])
    failpoints.observe(None)

    with writer.transaction() as store:
        assert select(store, CampaignRow) == ()
        put(store, [ROW])


def test_a_store_that_may_not_grow_refuses_the_row_and_goes_on_afterwards(writer: Writer) -> None:
    with writer.transaction() as store:
        pages = store.pragma("page_count")
        store.pragma("max_page_count", pages)
    with pytest.raises(apsw.FullError), writer.transaction() as store:
        put_meta(store, "big", "x" * 1_000_000)

    with writer.transaction() as store:
        assert get_meta(store, "big") is None
        put_meta(store, "small", "x")


def test_the_writer_that_was_replaced_can_write_no_more(path: Path) -> None:
    first = Writer(open_writer(path))
    second = Writer(open_writer(path))

    with (
        pytest.raises(
            LostLock, match=r"took over this root \(epoch 2, this one has 1\); nothing was written"
        ),
        first.transaction() as store,
    ):
        put(store, [ROW])

    with second.transaction() as store:
        assert select(store, CampaignRow) == ()
    first.close()
    second.close()


def test_the_epoch_is_above_every_one_before(path: Path) -> None:
    writer = Writer(open_writer(path), Written(41))
    writer.close()
    later = Writer(open_writer(path), Written(3))
    later.close()

    assert (writer.epoch, later.epoch) == (42, 43)


def test_an_older_copy_stays_one_for_every_later_writer_until_it_is_made_again(path: Path) -> None:
    writers = [Writer(open_writer(path), Written(epoch)) for epoch in (41, 42)]
    for writer in writers:
        writer.close()
    remade = Writer(open_writer(path.with_name("remade.db")), Written(43), is_remade=True)
    remade.close()

    assert [writer.is_older_copy for writer in (*writers, remade)] == [True, True, False]
    with open_reader(path) as store:
        assert read_view(store).older_copy == "its epoch is 0, the last one was 41"


def test_a_reader_creates_no_file_and_changes_no_time(writer: Writer, path: Path) -> None:
    with writer.transaction() as store:
        put(store, [ROW])
    writer.close()
    path.parent.chmod(0o500)
    before = (sorted(os.listdir(path.parent)), path.stat().st_mtime_ns)  # noqa: PTH208

    with open_reader(path) as store:
        assert read_view(store).campaigns == (ROW,)

    assert (sorted(os.listdir(path.parent)), path.stat().st_mtime_ns) == before  # noqa: PTH208
    path.parent.chmod(0o700)


def test_a_reader_cannot_write(writer: Writer, path: Path) -> None:
    with open_reader(path) as store, pytest.raises(apsw.ReadOnlyError):
        put(store, [ROW])


def test_what_was_not_committed_when_its_writer_died_is_not_there(path: Path) -> None:
    Writer(open_writer(path)).close()

    def work() -> None:
        writer = Writer(open_writer(path))
        failpoints.observe(lambda name: failpoints._produce("kill", name) if name == "store.commit" else None)
        with writer.transaction() as store:
            put(store, [ROW])

    assert in_child(work) == -signal.SIGKILL
    with open_reader(path) as store:
        assert select(store, CampaignRow) == ()


def test_a_store_that_was_killed_in_the_middle_of_a_write_is_read_from_a_copy(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [ROW])
    writer.close()
    _leave_hot_journal(path)
    before = path.read_bytes()

    with open_reader(path) as store:
        assert select(store, CampaignRow) == (ROW,)

    assert path.read_bytes() == before


def _leave_hot_journal(path: Path) -> None:
    """Die after changed pages reached the file and before the commit."""

    def work() -> None:
        store = open_writer(path)
        store.pragma("cache_size", 1)
        store.execute("BEGIN IMMEDIATE")
        store.execute("UPDATE campaigns SET status = 'active'")
        for number in range(200):
            put_meta(store, str(number), "x" * 4000)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(work) == -signal.SIGKILL
    assert path.with_name("realm.db-journal").stat().st_size > 0


def test_a_file_that_is_no_database_is_told(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 40)

    with pytest.raises(StoreDamaged, match="is not a database"):
        open_writer(path)
    with pytest.raises(StoreDamaged, match="doctor --rebuild makes it again"), open_reader(path):
        pytest.fail("it was opened")


def test_a_store_of_a_newer_version_is_left_alone(path: Path) -> None:
    Writer(open_writer(path)).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()

    with pytest.raises(StoreTooNew, match=f"has schema version {schema.VERSION + 1}; this software knows"):
        open_writer(path)


def test_without_a_store_there_is_nothing_to_read(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"realm\.db"), open_reader(path):
        pytest.fail("it was opened")
    assert not path.exists()


def test_the_store_is_private(writer: Writer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_requests_are_numbered_and_handled_ones_are_not_planned(path: Path) -> None:
    store = open_writer(path)
    first = requests.ask(
        store, kind="pause", campaign="a/b", by="kim", why="lunch", at="2026-01-31T12:00:00Z"
    )
    second = requests.ask(store, kind="resume", campaign="a/b", by="kim", why="", at="2026-01-31T13:00:00Z")
    found = requests.find(store, first)
    assert found is not None
    put(store, [msgspec.structs.replace(found, handled_at="2026-01-31T12:30:00Z")])

    assert (first, second) == (1, 2)
    assert [request.id for request in read_view(store).requests] == [second]
    assert select_one(store, CampaignRow, "WHERE uid = ?", "u") is None
    store.close()


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
RUN = RunRow(
    campaign_uid=ROW.uid, generation=1, attempt=1, state="ended", cookie="c", config_hash="h", config_json="{}",
    code_version="v", specs_commit="s", device="cpu", resume_step=None, launched_at="2026-01-31T12:00:00Z",
)  # fmt: skip


def _store_of_version_1(path: Path) -> tuple[LedgerRow, ActionRow]:
    """Make a store as the first version did; return what is in it."""
    ledger, action = sample(LedgerRow), sample(ActionRow)
    assert isinstance(ledger, LedgerRow)
    assert isinstance(action, ActionRow)
    connection = open_writer(path)
    tables = (
        *(("ledger", LEDGER_1, ledger), ("actions", ACTIONS_1, action)),
        *(("campaigns", CAMPAIGNS_1, ROW), ("runs", RUNS_1, RUN)),
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


def test_a_store_of_an_earlier_version_is_brought_to_this_one_and_loses_no_row(path: Path) -> None:
    ledger, action = _store_of_version_1(path)

    writer = Writer(open_writer(path))

    with writer.transaction() as store:
        assert (select(store, LedgerRow), select(store, ActionRow)) == ((ledger,), (action,))
        assert (select(store, CampaignRow), select(store, RunRow)) == ((ROW,), (RUN,))
        put(store, [msgspec.structs.replace(ledger, sequence=2, damage="a bit is flipped")])
        assert len(select(store, LedgerRow)) == 2
    writer.close()
    _assert_made_alike(path)


def test_what_was_taken_back_before_version_8_overrules_the_line_that_stands(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [_stone(1, "restored"), _stone(-1, "restored"), _stone(2, "trashed")])
        store.execute("ALTER TABLE trash DROP COLUMN overrules")
        _without_segments(store)
        store.pragma("user_version", 7)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        found = {stone.sequence: stone.overrules for stone in select(store, TrashRow)}
    writer.close()

    assert found == {-1: "state: deleted", 1: "keep: metrics", 2: None}


def _without_findings(store: Any) -> None:
    """Make of a store one of before version 19."""
    store.execute("ALTER TABLE trash DROP COLUMN damage")
    store.execute("ALTER TABLE trash DROP COLUMN verified_at")
    store.execute("ALTER TABLE copies DROP COLUMN unreachable")


def _without_forms(store: Any) -> None:
    """Make of a store one of before version 16."""
    _without_findings(store)
    store.execute("ALTER TABLE runs DROP COLUMN energy_joules")
    store.execute("ALTER TABLE inbox DROP COLUMN number")
    store.execute("ALTER TABLE trash DROP COLUMN keeps")


def _without_names(store: Any) -> None:
    """Make of a store one of before version 15."""
    _without_forms(store)
    store.execute("ALTER TABLE campaigns DROP COLUMN former_names")


def _without_times(store: Any) -> None:
    """Make of a store one of before version 13."""
    _without_names(store)
    times = ("busy_seconds", "expected_seconds", "expected_low_seconds", "expected_high_seconds")
    for column in ("num_updates", "num_tokens", *times):
        store.execute(f"ALTER TABLE runs DROP COLUMN {column}")


def _without_segments(store: Any) -> None:
    """Make of a store one of before version 9."""
    store.execute("ALTER TABLE runs DROP COLUMN peak_memory_bytes")
    _without_copies(store)
    store.execute("ALTER TABLE ledger DROP COLUMN skills_json")
    store.execute("DROP TABLE segments")
    store.execute("ALTER TABLE runs DROP COLUMN segment")
    store.execute("ALTER TABLE trash DROP COLUMN segment")


def test_a_run_and_a_drop_of_before_version_9_are_of_the_first_segment(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [RUN, _stone(2, "trashed")])
        _without_segments(store)
        store.pragma("user_version", 8)
    writer.close()

    with open_reader(path) as store:
        view = read_view(store)

    assert ([run.segment for run in view.runs], view.segments) == ([1], ())
    assert [stone.thing for stone in view.trash] == ["a/b@1"]


def test_a_ledger_of_version_9_has_examined_nothing(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [sample(LedgerRow)])
        _without_copies(store)
        store.execute("ALTER TABLE ledger DROP COLUMN skills_json")
        store.execute("ALTER TABLE runs DROP COLUMN peak_memory_bytes")
        store.pragma("user_version", 9)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        assert [row.skills_json for row in select(store, LedgerRow)] == [""]
    writer.close()
    _assert_made_alike(path)


def test_a_run_of_version_10_took_nobody_knows_how_much_memory(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [RUN])
        _without_copies(store)
        store.execute("ALTER TABLE runs DROP COLUMN peak_memory_bytes")
        store.pragma("user_version", 10)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        assert [row.peak_memory_bytes for row in select(store, RunRow)] == [None]
    writer.close()
    _assert_made_alike(path)


def test_a_store_of_version_11_has_read_nothing_again_and_copied_nothing(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [sample(LedgerRow)])
        _without_copies(store)
        store.pragma("user_version", 11)
    writer.close()

    with open_reader(path) as store:
        view = read_view(store)
    assert ([row.verified_at for row in view.ledger], view.copies, view.scrub) == ([None], (), None)

    Writer(open_writer(path)).close()
    _assert_made_alike(path)


def _without_copies(store: Any) -> None:
    """Make of a store one of before version 12."""
    _without_times(store)
    store.execute("ALTER TABLE ledger DROP COLUMN verified_at")
    store.execute("ALTER TABLE requests DROP COLUMN details_json")
    store.execute("DROP TABLE copies")


def test_a_run_of_version_12_took_nobody_knows_how_long_for_its_updates(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [RUN])
        _without_times(store)
        store.pragma("user_version", 12)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        assert [(row.num_updates, row.busy_seconds) for row in select(store, RunRow)] == [(None, None)]
    writer.close()
    _assert_made_alike(path)


def _stone(sequence: int, state: TrashState) -> TrashRow:
    return TrashRow(
        sequence=sequence, campaign_uid="u", campaign="a/b", step=1, digest="d", origin="o", path="p", size_bytes=1,
        kind="asked", reason="r", trashed_at="2026-01-31T12:00:00Z", trashed_at_seconds=0.0, grace_seconds=1.0,
        clean_ticks=0, state=state,
    )  # fmt: skip


def _assert_made_alike(path: Path) -> None:
    """Tables and indexes are those of a new store."""
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


def test_a_store_of_an_earlier_version_is_read_without_changing_it(path: Path) -> None:
    ledger, _ = _store_of_version_1(path)
    before = path.read_bytes()

    with open_reader(path) as store:
        assert read_view(store).ledger == (ledger,)

    assert path.read_bytes() == before


def test_a_reader_refuses_a_store_of_a_newer_version(path: Path) -> None:
    connection = open_writer(path)
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()

    with pytest.raises(StoreTooNew, match="upgrade it"), open_reader(path):
        pytest.fail("it was opened")


def failed(number: int, **changes: object) -> ActionRow:
    usual = {
        "state": "failed",
        "permanent": True,
        "ended_at": f"2026-01-31T12:00:0{number}Z",
        "outcome": "no",
    }
    return msgspec.structs.replace(sample(ActionRow), number=number, **{"id": "a", **usual, **changes})


def test_what_failed_for_good_is_counted_since_it_last_succeeded(writer: Writer) -> None:
    rows = [failed(1), failed(2, state="done"), failed(3), failed(4), failed(5, id="b", permanent=False)]
    with writer.transaction() as store:
        put(store, [msgspec.structs.replace(row, epoch=writer.epoch) for row in rows])
        put(store, [failed(6, id="c", epoch=writer.epoch - 1, outcome="disk")])

    view = read_view(writer._connection)

    assert [(one.id, one.failed_at, one.outcome) for one in view.failed_actions] == [
        ("a", ("2026-01-31T12:00:03Z", "2026-01-31T12:00:04Z"), "no"),
        ("c", ("2026-01-31T12:00:06Z",), "disk"),
    ]


def test_a_campaign_of_version_14_had_no_other_name(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [sample(CampaignRow)])
        _without_names(store)
        store.pragma("user_version", 14)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        (row,) = select(store, CampaignRow)
    assert (row.former, row.folder_name) == ((), row.name)
    writer.close()
    _assert_made_alike(path)


def test_in_the_trash_of_version_15_nothing_kept_its_weights(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [sample(TrashRow)])
        _without_forms(store)
        store.pragma("user_version", 15)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        (stone,) = select(store, TrashRow)
    assert stone.keeps is None
    writer.close()
    _assert_made_alike(path)


def test_a_run_of_version_16_took_nobody_knows_how_much_energy(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [RUN])
        store.execute("ALTER TABLE runs DROP COLUMN energy_joules")
        store.execute("ALTER TABLE inbox DROP COLUMN number")
        _without_findings(store)
        store.pragma("user_version", 16)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        assert [row.energy_joules for row in select(store, RunRow)] == [None]
    writer.close()
    _assert_made_alike(path)


def test_what_version_17_took_in_stands_before_what_is_taken_in_now(path: Path) -> None:
    before = InboxRow(
        quest_id="z", name="z.jsonl", source_key="k", digest="d", num_rows=1, size_bytes=2, shape_json="{}",
        taken_at="2026-01-31T12:00:00Z",
    )  # fmt: skip
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [before])
        store.execute("ALTER TABLE inbox DROP COLUMN number")
        _without_findings(store)
        store.pragma("user_version", 17)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [msgspec.structs.replace(before, quest_id="a", number=1)])
    writer.close()
    with open_reader(path) as store:
        assert [row.quest_id for row in read_view(store).inbox] == ["z", "a"]
    _assert_made_alike(path)


def test_of_a_copy_and_a_full_form_of_version_18_nothing_is_known_against_them(path: Path) -> None:
    full, copy = _stone(3, "trashed"), sample(CopyRow)
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [full, copy])
        _without_findings(store)
        store.pragma("user_version", 18)
    writer.close()

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        assert (select(store, TrashRow), select(store, CopyRow)) == ((full,), (copy,))
    writer.close()
    _assert_made_alike(path)
