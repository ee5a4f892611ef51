"""`wait` returns when a thing is as wanted, and says at once why it never will be."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from reconciler.app.explaining.waiting import look_at
from reconciler.app.planning.look import look
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.place import Options
from reconciler.plan.changes import Blocked

Git = Callable[..., str]


def test_wait_returns_at_once_when_it_is_so(run, store, rows) -> None:
    result = run("wait", "pip/campaign-001", "--for", "step=0", "--json")
    assert (result.exit_code, json.loads(result.stdout)["condition"]) == (0, "step=0")


def test_wait_sees_what_becomes_so_meanwhile(run, store, rows) -> None:
    timer = threading.Timer(1.5, lambda: store.write([rows.job(status="completed")]))
    timer.start()
    store.write([rows.job(status="queued")])
    result = run("wait", "quest/q1", "--for", "completed", "--timeout", "200")
    timer.join()
    assert (result.exit_code, result.stdout) == (0, "quest/q1 is completed: it is completed\n")


def test_a_quest_that_failed_is_not_waited_for(run, store, rows) -> None:
    store.write([rows.job(status="failed")])
    result = run("wait", "quest/q1", "--for", "completed", "--timeout", "200")
    assert result.exit_code == 1
    assert "quest/q1 will not be completed: it is failed; see reconcile explain quest/q1" in result.stderr


def test_time_that_ran_out_says_how_it_is(run, store) -> None:
    result = run("wait", "pip/campaign-001", "--for", "step=7", "--timeout", "0")
    assert result.exit_code == 6
    assert "pip/campaign-001 is not step=7 after 0 s: step 0, active" in result.stderr


@pytest.mark.parametrize(
    ("thing", "condition", "code", "message"),
    [
        ("realm", "step=3", 64, 'the realm has no condition "step=3"; expected applied, idle'),
        ("pip/campaign-001", "step=", 64, "expected synced, healthy, completed, paused, saved, step=N"),
        ("quest/q1", "done", 64, 'a quest has no condition "done"; expected queued, processing, completed'),
        ("quest/q7", "completed", 5, 'there is no quest "q7"'),
        ("pip/campaign-009", "synced", 5, 'there is no campaign "pip/campaign-009"'),
        ("hero/pip", "synced", 64, "cannot be waited for; expected realm, quest/<id> or <hero>/<campaign>"),
    ],
)
def test_what_cannot_be_waited_for_is_said(
    run, store, thing: str, condition: str, code: int, message: str
) -> None:
    result = run("wait", thing, "--for", condition)
    assert result.exit_code == code
    assert message in result.stderr


SUSPENDED = "suspend: {reason: new card, by: ada}\n"
FOR_NOW = "suspend: {reason: new card, by: ada, until: 2090-12-01}\n"
REALM = "id: lab\nactive: pip/campaign-001\n"


@pytest.fixture
def commit(lab: Path, git: Git) -> Callable[[str, str], None]:
    """Write a spec and commit it."""

    def make(name: str, text: str) -> None:
        (lab / f"specs/{name}.yaml").write_text(text)
        git(lab, "add", ".")
        git(lab, "commit", "-qm", "another")

    return make


@pytest.mark.parametrize(
    ("thing", "condition"),
    [
        ("pip/campaign-001", "step=9"),
        ("pip/campaign-001", "completed"),
        ("pip/campaign-001", "healthy"),
        ("pip/campaign-001", "synced"),
        ("pip/campaign-001", "saved"),
        ("quest/q1", "completed"),
        ("quest/q1", "processing"),
    ],
)
@pytest.mark.parametrize("what", ["realm", "heroes/pip", "queue"])
def test_what_is_suspended_without_an_end_is_not_waited_for(
    run, lab: Path, store, commit, thing: str, condition: str, what: str
) -> None:
    commit(what, (lab / f"specs/{what}.yaml").read_text() + SUSPENDED)
    result = run("wait", thing, "--for", condition, "--timeout", "200")
    assert result.exit_code == 1, result.output
    assert f"{thing} will not be {condition}: " in result.stderr
    assert "suspended by ada: new card" in result.stderr
    assert f"reconcile unsuspend {what.replace('heroes', 'hero')}" in result.stderr


def test_what_is_suspended_for_a_time_is_waited_for(run, store, commit) -> None:
    commit("realm", REALM + FOR_NOW)
    assert run("wait", "pip/campaign-001", "--for", "step=9", "--timeout", "0").exit_code == 6
    assert run("wait", "quest/q1", "--for", "completed", "--timeout", "0").exit_code == 6


def test_what_has_its_turn_later_is_waited_for(run, store) -> None:
    assert run("wait", "quest/q2", "--for", "completed", "--timeout", "0").exit_code == 6
    assert run("wait", "mu/campaign-001", "--for", "step=9", "--timeout", "0").exit_code == 6


QUEUE = "quests:\n  - {id: q1, skill: bin, level: 1, count: 10, for: [pip], epochs: 3}\n"


@pytest.mark.parametrize(
    ("queue", "code", "message"),
    [
        (QUEUE, 6, "pip/campaign-001 learnt it for 1 epoch of the 3 that are asked for"),
        (QUEUE + SUSPENDED, 1, "quest/q1 will not be completed: "),
    ],
)
def test_a_quest_of_which_the_newest_commit_asks_for_more_epochs_is_not_completed(
    run, store, rows, commit, queue: str, code: int, message: str
) -> None:
    store.write([rows.job(status="completed")])
    assert run("wait", "quest/q1", "--for", "completed", "--timeout", "0").exit_code == 0
    commit("queue", queue)
    result = run("wait", "quest/q1", "--for", "completed", "--timeout", "0")
    assert (result.exit_code, message in result.stderr) == (code, True), result.output


@pytest.mark.parametrize(
    ("thing", "condition"),
    [("pip/campaign-001", "step=9"), ("quest/q1", "completed"), ("quest/q1", "processing")],
)
def test_what_lies_in_the_way_of_training_is_not_waited_for(
    run, root: Path, store, thing: str, condition: str
) -> None:
    place = root / "campaigns/pip/campaign-001"
    place.mkdir(parents=True)
    (place / "logs").write_text("mine")
    result = run("wait", thing, "--for", condition, "--timeout", "200")
    assert result.exit_code == 1, result.output
    assert "campaigns/pip/campaign-001/logs is a file" in result.stderr
    assert "move it away" in result.stderr


def test_a_person_s_pause_is_not_waited_for_but_by_who_waits_for_the_pause(run, store, rows) -> None:
    held = {"hold": "pause", "hold_by": "ada", "hold_why": "too warm", "hold_at": "2026-01-31T12:00:00Z"}
    store.write([rows.campaign(**held)])
    result = run("wait", "pip/campaign-001", "--for", "step=9", "--timeout", "200")
    assert (result.exit_code, "paused by ada at 2026-01-31T12:00:00Z: too warm" in result.stderr) == (1, True)
    assert "reconcile resume pip/campaign-001" in result.stderr
    assert run("wait", "pip/campaign-001", "--for", "paused", "--timeout", "200").exit_code == 0


def test_a_campaign_without_a_goal_is_never_completed(run, store) -> None:
    result = run("wait", "mu/campaign-001", "--for", "completed", "--timeout", "200")
    assert (result.exit_code, "it has no goal" in result.stderr) == (1, True)


@pytest.fixture
def applied(run, commit) -> None:
    """A realm in which nothing is left to do at the newest commit."""
    commit("queue", "quests: []\n")
    assert run("apply", "--until-converged").exit_code == 0
    assert run("wait", "realm", "--for", "applied", "--timeout", "0").exit_code == 0


def test_a_newest_commit_with_mistakes_is_not_applied_and_never_will_be(
    run, lab: Path, git: Git, applied, commit
) -> None:
    good = git(lab, "rev-parse", "HEAD").strip()
    commit("realm", REALM.replace("active: pip", "active: pipp"))
    broken = git(lab, "rev-parse", "HEAD").strip()
    result = run("wait", "realm", "--for", "applied", "--timeout", "200")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        f"realm will not be applied: the newest commit is {broken[:7]}: its specs have 1 mistake, at "
        in result.stderr
    )
    assert "specs/realm.yaml:2:9" in result.stderr
    assert f"main@{good[:7]} stays in force" in result.stderr
    commit("realm", REALM)
    assert run("wait", "realm", "--for", "applied", "--timeout", "0").exit_code == 6
    assert run("apply", "--until-converged").exit_code == 0
    assert run("wait", "realm", "--for", "applied", "--timeout", "0").exit_code == 0


def test_what_is_waited_for_is_of_the_branch_that_apply_follows(
    run, lab: Path, git: Git, applied, commit
) -> None:
    """Another one is checked out, and has mistakes; then the one that is followed has."""
    git(lab, "switch", "-qc", "draft")
    commit("realm", REALM.replace("active: pip", "active: pipp"))
    assert run("wait", "realm", "--for", "applied", "--timeout", "0").exit_code == 0
    git(lab, "branch", "-qf", "main", "draft")
    git(lab, "reset", "-q", "--hard", "HEAD~1")
    result = run("wait", "realm", "--for", "applied", "--timeout", "200")
    assert (result.exit_code, "its specs have 1 mistake" in result.stderr) == (1, True)


def test_a_followed_branch_that_is_gone_is_never_applied(run, lab: Path, git: Git, applied) -> None:
    git(lab, "branch", "-qm", "main", "other")
    result = run("wait", "realm", "--for", "applied", "--timeout", "200")
    assert (
        result.exit_code,
        "apply follows the branch main, which is not there any more" in result.stderr,
    ) == (1, True)
    assert "bring it back: git branch main" in result.stderr


def test_what_is_archived_and_stays_so_is_not_waited_for_and_what_is_brought_back_is(
    run, resting, commit
) -> None:
    resting({}, (100,))
    commit("realm", "id: lab\n")
    commit("campaigns/pip/campaign-001", "id: campaign-001\nstate: archived\n")
    assert run("apply", "--until-converged").exit_code == 0
    words = ("wait", "pip/campaign-001", "--for", "step=900", "--timeout", "0")
    result = run(*words)
    assert (result.exit_code, "will not be step=900: it is archived" in result.stderr) == (1, True)
    commit("campaigns/pip/campaign-001", "id: campaign-001\n")
    assert run(*words).exit_code == 6


def test_a_campaign_that_has_reached_its_goal_is_completed_also_while_it_is_active(run, resting) -> None:
    resting({"specs/campaigns/pip/campaign-001.yaml": "id: campaign-001\ngoal: {updates: 100}\n"}, (100,))
    result = run("wait", "pip/campaign-001", "--for", "completed", "--timeout", "0")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("verb", "is_hopeless"), [("write", False), ("purge", False), ("launch", True)])
def test_what_failed_and_has_to_be_mended_is_not_waited_for_where_training_needs_it(
    lab: Path, root: Path, store, verb: str, is_hopeless: bool
) -> None:
    view = look(current_environment(), Options(repository=lab, root=root))
    failed = Blocked(
        subject="campaign/pip/campaign-001",
        code=f"fails-{verb}",
        message="failed 3 times",
        cause="x",
        hint="mend it",
    )
    view = msgspec.structs.replace(view, plan=msgspec.structs.replace(view.plan, blocked=(failed,)))
    told = look_at(view, "pip/campaign-001", "step=9").hopeless
    assert (told is not None and "failed 3 times" in told) == is_hopeless
