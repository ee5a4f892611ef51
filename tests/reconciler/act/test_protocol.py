"""Changes are performed one after another, and the journal tells it truthfully."""

import errno
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from reconciler.act.errors import Permanent, Temporary
from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.act.protocol import perform
from reconciler.act.registry import EXECUTORS
from reconciler.act.tools import Tools
from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from state import failpoints
from state.store.connection import open_writer
from state.store.requests import ask
from state.store.writer import LostLock

NOW = "2026-01-31T12:00:00Z"


@pytest.fixture
def hands(realm: Any) -> Any:
    writer = enter_office(realm.layout, NOW)
    yield Tools(layout=realm.layout, writer=writer, launcher=LocalLauncher(), now=lambda: NOW)
    failpoints.observe(None)
    writer.close()


def run(changes: list[Change], hands: Tools, **more: Any) -> list[Any]:
    return list(perform(changes, hands, specs_commit="d" * 40, **more))


def raising(error: BaseException) -> Any:
    def executor(_action: a.Action, _tools: Tools) -> str:
        raise error

    return {a.MarkJob: executor, a.RegisterCampaign: lambda *_: "registered"}


def test_every_action_has_exactly_one_executor_and_none_that_of_another() -> None:
    assert set(EXECUTORS) == set(a.AnyAction.__args__)
    alike = {a.AnswerRefresh, a.AnswerRequest}  # both write an answer beside a request
    others = [executor for action, executor in EXECUTORS.items() if action not in alike]
    assert len({*others, EXECUTORS[a.AnswerRequest]}) == len(others) + 1


def test_an_intent_is_in_the_journal_before_its_effect(realm: Any, hands: Tools, make: Any) -> None:
    seen = []

    def executor(_action: a.Action, _tools: Tools) -> str:
        seen.extend(realm.rows("actions")[-1:])
        return "done it"

    run([make.change(make.mark("failed"))], hands, executors={a.MarkJob: executor})

    assert (seen[0]["state"], seen[0]["kind"], seen[0]["outcome"]) == ("intent", "MarkJob", None)
    last = realm.rows("actions")[-1]
    assert (last["state"], last["outcome"], last["number"]) == ("done", "done it", seen[0]["number"])


def test_a_change_is_skipped_when_something_it_needs_failed_and_so_is_what_needs_that(
    hands: Tools, make: Any
) -> None:
    first = make.change(make.mark("failed"))
    second = make.change(make.register("tiny/a"), first.id)
    third = make.change(make.register("tiny/b"), second.id)
    unrelated = make.change(make.register("tiny/c"))

    outcomes = run([first, second, third, unrelated], hands, executors=raising(Permanent("no")))

    assert [(outcome.ok, outcome.skipped) for outcome in outcomes] == [
        (False, False), (False, True), (False, True), (True, False),
    ]  # fmt: skip
    assert outcomes[1].text == "not begun: 1 of what it needs did not succeed"


def test_a_skipped_change_leaves_no_line_in_the_journal(realm: Any, hands: Tools, make: Any) -> None:
    first = make.change(make.mark("failed"))
    second = make.change(make.register("tiny/a"), first.id)
    before = len(realm.rows("actions"))

    run([first, second], hands, executors=raising(Temporary("later")))

    assert len(realm.rows("actions")) == before + 1


@pytest.mark.parametrize(("error", "permanent"), [(Temporary("later"), False), (Permanent("never"), True)])
def test_a_failure_says_whether_trying_again_helps(
    error: Exception, permanent: bool, realm: Any, hands: Tools, make: Any
) -> None:
    (outcome,) = run([make.change(make.mark("failed"))], hands, executors=raising(error))

    assert (outcome.ok, outcome.permanent, outcome.text) == (False, permanent, str(error))
    assert realm.rows("actions")[-1]["permanent"] == permanent
    assert realm.rows("actions")[-1]["outcome"] == str(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/r/f"),
            "/r/f: No space left on device; free some space",
        ),
        (
            OSError(errno.EACCES, "Permission denied", "/r/f"),
            "/r/f: Permission denied; give the reconciler's user",
        ),
        (
            OSError(errno.EIO, "Input/output error", "/r/f"),
            "/r/f: Input/output error: the disk or its connection",
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            "Too many open files: this machine has no more of it now",
        ),
        (apsw.FullError("disk full"), "no space left for the realm's store"),
        (apsw.CorruptError("malformed"), "the realm's store is damaged"),
    ],
)
def test_a_foreign_error_is_told_in_words_that_help(
    error: Exception, expected: str, hands: Tools, make: Any
) -> None:
    (outcome,) = run([make.change(make.mark("failed"))], hands, executors=raising(error))

    assert outcome.text.startswith(expected)


def test_ctrl_c_closes_the_action_as_interrupted_and_passes_through(
    realm: Any, hands: Tools, make: Any
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run([make.change(make.mark("failed"))], hands, executors=raising(KeyboardInterrupt()))

    last = realm.rows("actions")[-1]
    assert (last["state"], last["outcome"]) == ("failed", "interrupted; planned again")


def test_a_mistake_of_ours_is_not_swallowed_and_is_in_the_journal(
    realm: Any, hands: Tools, make: Any
) -> None:
    with pytest.raises(ZeroDivisionError):
        run([make.change(make.mark("failed"))], hands, executors=raising(ZeroDivisionError("oops")))

    assert realm.rows("actions")[-1]["outcome"] == "internal error: ZeroDivisionError('oops')"


def test_asked_to_leave_it_finishes_the_action_and_begins_no_other(realm: Any, make: Any) -> None:
    writer = enter_office(realm.layout, NOW)
    asked: list[bool] = []
    hands = Tools(
        layout=realm.layout, writer=writer, launcher=LocalLauncher(), now=lambda: NOW, interrupted=lambda: bool(asked)
    )  # fmt: skip
    changes = [make.change(make.register("tiny/a")), make.change(make.register("tiny/b"))]

    outcomes = run(changes, hands, on_begin=lambda _: asked.append(True))

    writer.close()
    assert [outcome.change for outcome in outcomes] == changes[:1]


@pytest.mark.parametrize(("is_known", "num_done"), [(True, 2), (False, 0)])
def test_only_what_was_asked_after_the_plan_was_made_breaks_it_off(
    realm: Any, make: Any, monkeypatch: pytest.MonkeyPatch, is_known: bool, num_done: int
) -> None:
    monkeypatch.setattr("reconciler.act.asked._LOOK_SECONDS", 0.0)
    writer = enter_office(realm.layout, NOW)
    store = open_writer(realm.layout.store)
    number = ask(store, kind="approve", campaign="digest", by="kim", why="full", at=NOW)
    store.close()
    hands = Tools(
        layout=realm.layout, writer=writer, launcher=LocalLauncher(), now=lambda: NOW,
        known_requests=frozenset({number} if is_known else ()),
    )  # fmt: skip
    changes = [make.change(make.register("tiny/a")), make.change(make.register("tiny/b"))]

    outcomes = run(changes, hands)

    writer.close()
    assert len(outcomes) == num_done


def test_the_same_change_may_be_performed_again_later(realm: Any, make: Any) -> None:
    processing, queued = make.mark("processing"), make.mark("queued")

    realm.done(processing, queued, processing, queued, processing)

    rows = [row for row in realm.rows("actions") if row["id"] == make.change(processing).id]
    assert [row["state"] for row in rows] == ["done"] * 3
    assert realm.view().jobs[0].attempts == 3


def test_what_a_kill_left_open_is_closed_by_the_next_writer(realm: Any, make: Any) -> None:
    failpoints.observe(None)
    writer = enter_office(realm.layout, NOW)
    with writer.transaction() as store:
        store.execute("UPDATE actions SET state = 'intent', outcome = NULL, ended_at = NULL WHERE number = 1")
    writer.close()

    enter_office(realm.layout, NOW).close()

    first = realm.rows("actions")[0]
    assert (first["state"], first["outcome"], first["ended_at"]) == (
        "failed",
        "interrupted; planned again",
        NOW,
    )


def test_when_the_store_cannot_be_written_nothing_is_begun(hands: Tools, make: Any) -> None:
    def full(_name: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    failpoints.observe(full)
    begun: list[Change] = []

    outcomes = run([make.change(make.register("tiny/a"))], hands, on_begin=begun.append)

    assert begun == []
    assert outcomes[0].text.startswith("not begun: No space left on device; free some space")


def test_no_change_writes_nothing(realm: Any, hands: Tools) -> None:
    before = realm.layout.store.stat().st_mtime_ns
    points: list[str] = []
    failpoints.observe(points.append)

    assert run([], hands) == []
    assert (points, realm.layout.store.stat().st_mtime_ns) == ([], before)


def test_a_writer_whose_place_was_taken_stops_at_once(realm: Any, hands: Tools, make: Any) -> None:
    enter_office(realm.layout, NOW).close()

    with pytest.raises(LostLock, match="another reconciler took over this root"):
        run([make.change(make.register("tiny/a"))], hands)

    assert {row.name for row in realm.view().campaigns} == {make.campaign, make.other}


def test_taking_office_sweeps_unfinished_files_and_nothing_else(realm: Any, make: Any) -> None:
    campaign = realm.layout.campaign(make.campaign)
    left = [
        realm.layout.data / ".staging-x", campaign.folder / ".staging-campaign.json.1",
        realm.layout.root / "control" / ".staging-epoch.1", realm.layout.backups / ".staging-realm-2026-01-31-e1.db",
    ]  # fmt: skip
    kept = [campaign.checkpoints / ".staging-5-abc", realm.layout.data / "mine.jsonl"]
    for path in (*left, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")

    enter_office(realm.layout, NOW).close()

    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


def test_the_epoch_goes_on_from_its_mirror_when_the_store_is_an_older_copy(realm: Any) -> None:
    realm.layout.epoch.write_text("70\n")

    writer = enter_office(realm.layout, NOW)
    writer.close()

    assert writer.epoch == 71
    assert Path(realm.layout.epoch).read_text() == "71\n"


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        (["tiny/a"], "done it"),
        (["tiny/a", "tiny/b"], "not begun: 2 of what it needs did not succeed"),
    ],
)
def test_what_needs_one_of_several_is_skipped_only_when_all_of_them_failed(
    failing: list[str], said: str, hands: Tools, make: Any
) -> None:
    def executor(action: a.Action, _tools: Tools) -> str:
        if getattr(action, "campaign", None) in failing:
            raise Permanent("no")
        return "done it"

    first, second = make.change(make.register("tiny/a")), make.change(make.register("tiny/b"))
    last = msgspec.structs.replace(make.change(make.register("tiny/c")), needs_one_of=(first.id, second.id))

    outcomes = run([first, second, last], hands, executors={a.RegisterCampaign: executor})

    assert outcomes[-1].text == said
