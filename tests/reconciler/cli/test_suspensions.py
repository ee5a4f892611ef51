"""What is suspended is never green, whether something waits for it or not: who, why, until when, and the way out."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def suspended(run, lab: Path, git):
    """Suspend a thing as ada does, until the end of a day."""
    git(lab, "config", "user.name", "ada")

    def suspend(thing: str) -> str:
        done = run("suspend", thing, "--why", "new card", "--until", "2999-01-07")
        assert done.exit_code == 0, done.stderr
        said = json.loads(run("plan", "--json").stdout)["blocked"][0]["message"]
        assert said.startswith("suspended by ")
        assert said.endswith(" until 2999-01-07: new card")
        return said

    return suspend


def told(run, *arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.stderr
    return " ".join(done.stdout.replace("@<!-- -->", "@").split())


@pytest.fixture
def at_rest(run, lab: Path, git) -> None:
    """A realm with nothing to do."""
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to do")
    assert run("apply", "--until-converged").exit_code == 0
    assert "Nothing to do" in run("plan").stdout


def test_a_suspended_realm_with_nothing_to_do_is_named_wherever_somebody_looks(
    run, at_rest, suspended
) -> None:
    said = suspended("realm")
    way_out = "when it may go on: reconcile unsuspend realm"
    assert f"! blocked realm {said}" in told(run, "plan")
    assert way_out in told(run, "plan")
    assert f"**Blocked** `realm`: {said}" in told(run, "plan", "--format", "markdown")
    assert f"In the way: ! realm: {said} suspended, specs/realm.yaml:3 → {way_out}" in told(
        run, "explain", "realm"
    )
    assert f"warn plan realm: {said} → {way_out}" in told(run, "doctor")
    assert told(run, "status").count("new card") == 3  # the realm's own line, and each campaign's


def test_of_a_suspended_realm_everything_else_in_the_way_is_told_behind_that(
    run, at_rest, suspended, lab: Path, git
) -> None:
    (lab / "specs/queue.yaml").write_text("quests: [{id: a, file: none.jsonl}]\n")
    git(lab, "commit", "-qam", "a file that is not there")
    suspended("realm")
    blocked = json.loads(run("explain", "realm", "--json").stdout)["blocked"]
    assert [one["subject"] for one in blocked][:2] == ["realm", "quest/a"]


def test_a_suspended_queue_says_once_who_why_until_when_and_how_to_lift_it(run, store, suspended) -> None:
    said = suspended("queue")
    way_out = "when it may go on: reconcile unsuspend queue"
    for arguments in (["plan"], ["plan", "--format", "markdown"], ["explain", "queue"], ["status"]):
        assert said in told(run, *arguments), arguments
    assert run("plan").stdout.count("new card") == 1
    assert f"blocked queue: {said} (specs/queue.yaml:" in told(run, "status")
    for thing in ("quest/q1", "queue", "pip/campaign-001"):
        (one,) = json.loads(run("explain", thing, "--json").stdout)["blocked"]
        assert (one["code"], one["hint"]) == ("suspended", way_out)


@pytest.mark.parametrize("thing", ["hero/pip", "queue", "realm"])
def test_explain_of_a_hero_names_what_suspends_it(run, store, suspended, thing: str) -> None:
    run("suspend", thing, "--why", "new card", "--until", "2999-01-07")
    (one,) = json.loads(run("explain", "hero/pip", "--json").stdout)["blocked"]
    assert "new card" in one["message"]
    assert one["hint"] == f"when it may go on: reconcile unsuspend {thing}"


@pytest.mark.parametrize("thing", ["queue", "realm"])
def test_apply_leaves_with_the_code_for_a_person_while_all_is_suspended(
    run, at_rest, suspended, thing
) -> None:
    suspended(thing)
    assert run("apply", "--until-converged").exit_code == 3


def test_a_quest_that_no_campaign_could_train_is_told_that_the_queue_is_suspended(
    run, suspended, lab: Path, git
) -> None:
    for name in ("pip", "mu"):
        (lab / f"specs/campaigns/{name}/campaign-001.yaml").write_text("id: campaign-001\nstate: archived\n")
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    git(lab, "commit", "-qam", "all rest")
    suspended("queue")
    (one,) = json.loads(run("explain", "quest/q1", "--json").stdout)["blocked"]
    assert (one["subject"], one["hint"]) == ("queue", "when it may go on: reconcile unsuspend queue")


def test_a_dataset_tells_by_whom_and_until_when_and_nothing_once_that_is_over(run, lab: Path, git) -> None:
    spec = lab / "specs/datasets/sums.yaml"
    spec.parent.mkdir()
    for until, said in (("2999-01-07", "suspended by ada until 2999-01-07: wrong"), ("2000-01-01", None)):
        spec.write_text(
            f"id: sums\nkind: question_answer\nsuspend: {{reason: wrong, by: ada, until: {until}}}\n"
        )
        git(lab, "add", ".")
        git(lab, "commit", "-qm", "suspend")
        (item,) = json.loads(run("get", "datasets", "--json").stdout)["items"]
        assert item["suspended"] == said
        assert ((said or "suspended") in told(run, "get", "datasets", "--wide")) is (said is not None)


@pytest.mark.parametrize("end", ["", " "])
def test_an_end_that_is_empty_is_no_suspension_for_ever(run, lab: Path, git, end: str) -> None:
    before = git(lab, "rev-parse", "HEAD")
    done = run("suspend", "realm", "--why", "new card", "--until", end)
    assert done.exit_code == 64
    assert "is no end; leave it out" in done.stderr
    assert git(lab, "rev-parse", "HEAD") == before


def test_a_new_realm_that_is_suspended_stays_empty_until_that_is_lifted(run, suspended, root: Path) -> None:
    suspended("realm")
    assert json.loads(run("plan", "--json").stdout)["changes"] == []
    run("apply", "--once")
    assert not [path for path in (root / "campaigns").iterdir() if path.name != ".written"]
    assert run("unsuspend", "realm").exit_code == 0
    assert json.loads(run("plan", "--json").stdout)["changes"]
