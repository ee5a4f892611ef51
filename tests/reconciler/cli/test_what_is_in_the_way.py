"""What is blocked is told wherever one looks, apart from what only waits for its turn."""

import json
from pathlib import Path

import pytest

QUEUE = """quests:
  - {id: mine, file: data/mine.jsonl, for: [pip]}
  - {id: q2, skill: bin, level: 2, count: 20, for: [mu/campaign-001]}
"""


@pytest.fixture
def broken(lab: Path, git) -> Path:
    """Return the file of a quest whose second row is torn."""
    file = lab / "data/mine.jsonl"
    file.parent.mkdir()
    file.write_text('{"prompt": "1", "completion": "2"}\n{"prompt": \n')
    (lab / "specs/queue.yaml").write_text(QUEUE)
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "my own quest")
    return file


def test_a_broken_quest_is_blocked_and_a_quest_of_another_campaign_only_waits(run, broken: Path) -> None:
    plan = json.loads(run("plan", "--json").stdout)
    assert [item["subject"] for item in plan["blocked"]] == ["quest/mine"]
    assert [item["subject"] for item in plan["waits"]] == ["quest/q2"]
    told = run("plan").stdout
    assert "  ! blocked   quest/mine" in told
    assert "  … waits     quest/q2  until mu/campaign-001 is active" in told
    assert "1 blocked, 1 waiting" in told


def test_every_quest_has_one_state_and_status_lists_what_is_blocked(run, broken: Path) -> None:
    report = json.loads(run("status", "--json").stdout)
    assert report["queue"] == {"blocked": 1, "waits": 1}
    states = {
        item["id"]: item["state"] for item in json.loads(run("get", "quests", "--json").stdout)["items"]
    }
    assert states == {"mine": "blocked", "q2": "waits"}
    text = run("status").stdout
    assert "  queue       1 blocked, 1 waiting; 0 jobs to do, below healthy_depth 5: add\n" in text
    assert "  blocked     quest/mine: " in text
    assert ", 1 blocked, 1 waiting\n" in text


def test_apply_tells_what_is_blocked_and_ends_with_3_and_then_that_it_no_longer_is(
    run, broken: Path, lab: Path, git
) -> None:
    result = run("apply", "--until-converged")
    assert result.exit_code == 3
    assert "  ! blocked quest/mine: " in result.stdout
    assert ": 1 blocked, 1 waiting for its turn." in result.stdout


def test_a_quest_that_waits_for_its_turn_is_no_reason_to_fail(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text(
        "quests:\n  - {id: q2, skill: bin, level: 2, count: 20, for: [mu/campaign-001]}\n"
    )
    git(lab, "commit", "-qam", "for the other one")
    result = run("apply", "--until-converged")
    assert result.exit_code == 0
    assert "blocked" not in result.stdout
    assert ": 1 waiting for its turn." in result.stdout
