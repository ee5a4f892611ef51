"""The journal is bounded: what nobody reads any more goes, what sagas tell and what is counted stays."""

from typing import Any

from reconciler.act.office import enter_office
from reconciler.act.saga import settle_sagas
from reconciler.act.saga_events import NO_EVENTS
from reconciler.act.trimming import trim_journal
from reconciler.plan import actions as a
from state.store.journal_rows import ActionRow
from state.store.tables import put, put_meta, select

NOW = "2026-01-31T12:00:00Z"


def a_row(
    number: int, kind: str, state: str = "done", *, change: str = "", permanent: bool = False
) -> ActionRow:
    return ActionRow(
        number=number, id=change or f"sha256:{number}", kind=kind, subject="s", payload_json="{}", reason="r", cause="c",
        specs_commit="c", state=state, epoch=1, begun_at=NOW, ended_at=NOW, permanent=permanent,
    )  # fmt: skip


def trimmed(realm: Any, *rows: ActionRow, told: int, synced: int, kept_rows: int) -> list[tuple[int, str]]:
    """Return number and kind of what is left of the journal."""
    writer = enter_office(realm.layout, NOW)
    with writer.transaction() as store:
        store.execute("DELETE FROM actions")
        put(store, rows)
        put_meta(store, "saga_number", str(told))
        put_meta(store, "synced_number", str(synced))
    num_gone = trim_journal(writer, kept_rows)
    with writer.transaction() as store:
        left = [(row.number, row.kind) for row in select(store, ActionRow, "ORDER BY number")]
    writer.close()
    assert num_gone == len(rows) - len(left)
    return left


def test_older_rows_without_news_go_and_events_stay_for_ever(realm: Any) -> None:
    rows = [a_row(number, "ReadAgain" if number % 2 else "RecordCheckpoint") for number in range(1, 11)]

    left = trimmed(realm, *rows, told=10, synced=0, kept_rows=4)

    assert left == [(n, "RecordCheckpoint") for n in (2, 4, 6)] + [(r.number, r.kind) for r in rows[6:]]


def test_what_the_sagas_have_not_read_yet_and_what_is_not_synced_yet_stays(realm: Any) -> None:
    rows = [
        a_row(1, "ReadAgain"),
        a_row(2, "ReadAgain"),
        a_row(3, "MarkJob", "failed"),
        a_row(4, "MarkJob", "failed"),
    ]

    assert [n for n, _ in trimmed(realm, *rows, told=1, synced=3, kept_rows=0)] == [2, 4]


def test_what_is_at_work_stays(realm: Any) -> None:
    assert [n for n, _ in trimmed(realm, a_row(1, "ReadAgain", "intent"), told=9, synced=9, kept_rows=0)] == [
        1
    ]


def test_failures_for_good_are_counted_until_the_same_has_succeeded(realm: Any) -> None:
    rows = [
        *(a_row(n, "SnapshotFile", "failed", change="sha256:x", permanent=True) for n in (1, 2)),
        *(a_row(n, "SnapshotFile", "failed", change="sha256:y", permanent=True) for n in (3, 4)),
        a_row(5, "SnapshotFile", change="sha256:y"),
    ]

    left = trimmed(realm, *rows, told=9, synced=9, kept_rows=0)

    assert [n for n, _ in left] == [1, 2]
    (counted,) = realm.view().failed_actions
    assert (counted.id, len(counted.failed_at)) == ("sha256:x", 2)


def test_a_saga_that_is_gone_is_told_again_from_a_trimmed_journal(realm: Any, make: Any) -> None:
    realm.done(a.WritePointer(campaign=make.campaign, campaign_uid=make.uid))
    saga = realm.layout.campaign(make.campaign).saga
    for _ in range(2):
        writer = enter_office(realm.layout, NOW)
        settle_sagas(realm.layout, writer)
        before = saga.read_bytes()
        trim_journal(writer, kept_rows=0)
        saga.unlink()
        with writer.transaction() as store:
            put_meta(store, "saga_number", "0")
        settle_sagas(realm.layout, writer)
        writer.close()
        assert saga.read_bytes() == before


def test_no_kind_is_taken_out_whose_rows_are_read_as_a_history() -> None:
    """Each is a kind of action, and none says what befell a checkpoint, a run, a job or a campaign."""
    kinds = {kind.__name__ for kind in a.AnyAction.__args__}

    assert kinds > NO_EVENTS
    assert not any(getattr(a, kind).destroys for kind in NO_EVENTS)
