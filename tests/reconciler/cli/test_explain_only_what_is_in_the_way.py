"""`explain` names nothing that goes on beside the thing: what waits for an approval keeps no quest from training."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

PIP = "pip/campaign-001"
RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"


@pytest.fixture
def waiting(resting, run, lab: Path, git, pass_time) -> Callable[[str], list[tuple[str, str]]]:
    """A campaign with a reached goal, a quest that waits for it, and a drop that waits for an approval."""
    resting(
        {"specs/realm.yaml": f"id: lab\nactive: {PIP}\napply: {{approve_above: {{checkpoints: 1}}}}\n"},
        (100, 200, 300),
    )
    (lab / "specs/retention.yaml").write_text(RULES)
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text("id: campaign-001\ngoal: {updates: 50}\n")
    (lab / "specs/queue.yaml").write_text("quests: [{id: q1, skill: bin, level: 1, count: 10}]\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "keep the newest")
    pass_time(3)  # the minimum age, in whole seconds

    def told(thing: str) -> list[tuple[str, str]]:
        done = run("explain", thing, "--json")
        assert done.exit_code == 0, done.stderr
        return [(one["subject"], one["code"]) for one in json.loads(done.stdout)["blocked"]]

    return told


GOAL, APPROVAL = (f"campaign/{PIP}", "goal-reached"), (f"campaign/{PIP}", "needs-approval")


def test_each_thing_is_told_what_keeps_it_and_nothing_else(waiting) -> None:
    assert waiting(PIP) == [GOAL, APPROVAL]
    assert waiting("quest/q1") == [GOAL]
    assert waiting(f"{PIP}@100") == [APPROVAL]
    assert waiting(f"{PIP}@latest") == []


def test_a_suspension_that_holds_the_trash_keeps_no_quest_from_training(
    waiting, run, lab: Path, git, pass_time
) -> None:
    (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: {PIP}\n")
    git(lab, "commit", "-qam", "no approval")
    assert run("apply", "--until-converged").exit_code in (0, 3)
    (lab / "specs/retention.yaml").write_text(RULES + "suspend: {reason: wrong}\n")
    git(lab, "commit", "-qam", "wait")
    pass_time(100_000)
    for _ in range(2):
        run("apply", "--once")

    held = [one["code"] for one in json.loads(run("plan", "--json").stdout)["blocked"]]
    assert held.count("suspended") == 2
    assert waiting("quest/q1") == [GOAL]
