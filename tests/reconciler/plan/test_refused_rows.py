"""Rows that a skill made and that were refused stay refused until they are judged by something else."""

from typing import Any

import pytest
from case_constants import SPECS

from reconciler.plan.actions import EnqueueJob, GenerateQuest
from state.store.journal_rows import REFUSED

NAME = "pip/campaign-001"
SKILL = SPECS["skills/bin.yaml"]
EXAMINED = {"skills/bin.yaml": f"{SKILL}evaluation: {{levels: [1], seed: 4}}\n"}
WHY = "what skill bin made cannot be trained on: row 3: it asks the same as row 1"


def refused(planned: Any, specs: dict[str, str], **facts: Any) -> dict[str, Any]:
    """Return the words for a world in which the rows of the quest were refused by these specs."""
    case = {"specs": specs, "facts": {"active": NAME, "campaigns": {NAME: {}}} | facts}
    (made,) = (one for one in planned(case).changes if isinstance(one.action, GenerateQuest))
    failed = {"id": made.id, "failed_at": ["2026-01-01T00:00:00Z"], "outcome": f"{REFUSED}{WHY}"}
    return case | {"facts": case["facts"] | {"failed": [failed]}, "now": "2026-01-01T00:00:01Z"}


def test_one_refusal_is_the_last_try_and_is_told_at_the_line_of_the_quest(planned) -> None:
    plan = planned(refused(planned, EXAMINED))

    assert not [one for one in plan.changes if isinstance(one.action, GenerateQuest | EnqueueJob)]
    (told,) = plan.blocked
    assert (told.subject, told.code, told.message) == ("quest/q1", "fetch-given-up", WHY)
    assert (told.cause, told.until) == ("specs/queue.yaml:2", None)
    assert "change what it names in the specs, or the quest's seed, and it goes on by itself" in told.hint
    assert f"mend the skill's source, then reconcile resume {NAME}" in told.hint


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            {
                "queue.yaml": "quests:\n  - {id: q1, skill: bin, level: 1, count: 10, "
                "allow_leakage: {bin-level-1: by heart}}\n"
            },
            id="allow_leakage",
        ),
        pytest.param(
            {f"campaigns/{NAME}.yaml": "id: campaign-001\nconfig_overrides: {max_length: 200}\n"},
            id="max_length of the campaign",
        ),
        pytest.param(
            {"heroes/pip.yaml": SPECS["heroes/pip.yaml"].replace("max_length: 256", "max_length: 512")},
            id="max_length of the hero",
        ),
        pytest.param(
            {f"campaigns/{NAME}.yaml": "id: campaign-001\nconfig_overrides: {evaluation: {held_out: 0.5}}\n"},
            id="held-out share",
        ),
        pytest.param(
            {"skills/bin.yaml": f"{SKILL}evaluation: {{levels: [1], seed: 5}}\n"},
            id="seed of the examination",
        ),
        pytest.param({"skills/bin.yaml": f"{SKILL}evaluation: {{levels: [2], seed: 4}}\n"}, id="its levels"),
        pytest.param({"skills/bin.yaml": SKILL}, id="no examination"),
        pytest.param(
            {"heroes/pip.yaml": SPECS["heroes/pip.yaml"].replace("vocab_size: 320", "vocab_size: 400")},
            id="vocabulary of the hero",
        ),
    ],
)
def test_judged_by_something_else_they_are_made_again_and_the_old_failure_is_not_told(
    planned, change
) -> None:
    plan = planned(refused(planned, EXAMINED) | {"specs": EXAMINED | change})

    (made,) = (one for one in plan.changes if isinstance(one.action, GenerateQuest))
    assert made.setback is None
    assert [one.action.quest_id for one in plan.changes if isinstance(one.action, EnqueueJob)] == ["q1"]
    assert plan.blocked == ()


def test_what_nothing_is_judged_by_lifts_no_refusal(planned) -> None:
    overrides = "{learning_rate: 0.004, batch_size: 3, seed: 5}"
    faster = {f"campaigns/{NAME}.yaml": f"id: campaign-001\nconfig_overrides: {overrides}\n"}

    plan = planned(refused(planned, EXAMINED) | {"specs": EXAMINED | faster})

    assert [one.code for one in plan.blocked] == ["fetch-given-up"]


def test_resume_has_the_source_of_the_skill_make_them_again(planned) -> None:
    case = refused(planned, EXAMINED)
    resumed = {"requests": [{"kind": "resume", "campaign": NAME}]}

    plan = planned(case | {"facts": case["facts"] | resumed})

    assert [one.action.quest_id for one in plan.changes if isinstance(one.action, GenerateQuest)] == ["q1"]
