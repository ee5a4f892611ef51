"""What examinations say of a campaign: each result for its own level, each version by itself."""

from typing import Any

import msgspec
import pytest

from state.campaign_file import campaign_record
from state.cards import CampaignCard
from state.contract.examination import LevelResult
from state.examinations import accuracies, curriculum_state, mastery, statistics, versions_now
from state.formats import sidecar_record
from state.store.rows import CampaignRow, LedgerRow

V1, V2 = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def row(sequence: int, *results: LevelResult, **changes: Any) -> LedgerRow:
    usual: dict[str, Any] = {
        "campaign_uid": "u", "segment": 1, "step": sequence * 100, "sequence": sequence,
        "timestamp": f"2026-01-31T12:{sequence:02}:00Z", "path": "p", "canonical_name": "n", "train_loss": 0.5,
        "val_loss": None, "learning_rate": 0.1, "training_file": "q", "total_examples_trained": 1, "size_bytes": 1,
        "has_optimizer": True, "healthy": True, "digest": "d", "parent_step": None, "generation": 1, "attempt": 1,
        "config_hash": "c", "code_version": "v", "specs_commit": "s",
        "skills_json": msgspec.json.encode(results).decode() if results else "",
    }  # fmt: skip
    return LedgerRow(**(usual | changes))


def result(level: int, correct: int, *, total: int = 5, version: str = V1, **changes: Any) -> LevelResult:
    usual = {"skill": "bin", "pass_threshold": 0.8, "over": 3}
    return LevelResult(level=level, correct=correct, total=total, version=version, **(usual | changes))


def test_a_level_is_mastered_by_the_mean_of_its_last_three_examinations() -> None:
    ledger = [row(1, result(1, 3)), row(2, result(1, 4)), row(3, result(1, 4)), row(4, result(1, 4))]
    assert [mastery(ledger[:count])["bin"].mastered for count in (1, 2, 3, 4)] == [0, 0, 0, 1]
    (passed,) = mastery(ledger)["bin"].passed
    assert (passed.from_level, passed.to_level, passed.step, passed.steps_taken) == (0, 1, 400, 400)


def test_an_examination_counts_for_the_level_that_it_was_of_and_for_no_other() -> None:
    """The wrong turn: evaluations of one level counted for the next."""
    ledger = [row(1, result(1, 5)), row(2, result(1, 5)), row(3, result(1, 5)), row(4, result(2, 5))]
    found = mastery(ledger)["bin"]
    assert (found.mastered, found.training) == (1, 2)


def test_results_of_another_version_begin_anew() -> None:
    ledger = [row(1, result(1, 5)), row(2, result(1, 5)), row(3, result(1, 5, version=V2))]
    assert mastery(ledger)["bin"].mastered == 0


def test_a_level_above_one_that_is_missing_is_not_mastered_yet() -> None:
    ledger = [row(number, result(1, number), result(2, 5)) for number in (3, 4, 5)]
    assert mastery(ledger)["bin"].mastered == 2
    ledger = [row(number, result(1, 0), result(2, 5)) for number in (3, 4, 5)]
    assert (mastery(ledger)["bin"].mastered, mastery(ledger)["bin"].training) == (0, 1)


def test_a_mastered_level_stays_mastered() -> None:
    ledger = [row(number, result(1, 5)) for number in (1, 2, 3)]
    assert mastery([*ledger, row(4, result(1, 0)), row(5, result(1, 0))])["bin"].mastered == 1


def test_accuracies_are_compared_with_those_of_the_newest_examination_only() -> None:
    old, new = row(1, result(1, 5, version=V2)), row(2, result(1, 2), result(2, 1))
    versions = versions_now([old, new, row(3)])
    assert versions == {"bin": frozenset({V1})}
    assert accuracies(new, versions) == {"accuracy": 0.3, "accuracy/bin": 0.3}
    assert accuracies(old, versions) == {"accuracy": None}


def test_the_accuracy_of_all_skills_needs_all_of_them() -> None:
    sy = result(1, 4, skill="sy", version=V2)
    versions = versions_now([row(1, result(1, 2), sy)])
    assert accuracies(row(2, sy), versions) == {"accuracy": None, "accuracy/sy": 0.8}


def test_a_campaign_that_was_never_examined_has_no_skills() -> None:
    assert mastery([row(1)]) == {}
    assert versions_now([row(1)]) == {}
    assert curriculum_state([row(1)], "2026-01-31T11:00:00Z", {})["skills"] == {}


def test_the_curriculum_has_the_names_of_older_systems() -> None:
    ledger = [row(number, result(1, 5)) for number in (1, 2, 3)]
    older = {"skills": {"sy": {"current_level": 4}, "bin": {"current_level": 9}}, "note": "mine"}
    state = curriculum_state(ledger, "2026-01-31T11:00:00Z", older)
    assert (state["skills"]["sy"], state["note"]) == ({"current_level": 4}, "mine")
    skill = state["skills"]["bin"]
    assert {key: skill[key] for key in ("current_level", "training_level", "mastered_level")} == {
        "current_level": 1,
        "training_level": 2,
        "mastered_level": 1,
    }
    assert skill["accuracy_history"][-1] == {
        "step": 300,
        "accuracy": 1.0,
        "training_level": 1,
        "mastered_level": 1,
        "timestamp": "2026-01-31T12:03:00Z",
        "metadata": {"level": 1, "problems": 5, "correct": 5},
    }
    assert skill["progression_history"] == [
        {"earned_level": 1, "old_mastered": 0, "new_mastered": 1, "timestamp": "2026-01-31T12:03:00Z"}
    ]
    assert (state["started_at"], state["last_updated"]) == ("2026-01-31T11:00:00Z", "2026-01-31T12:03:00Z")
    assert state["active_skill"] == "bin"


def test_the_statistics_of_the_game_follow_from_the_ledger() -> None:
    ledger = [
        row(1, result(1, 4), val_loss=0.25),
        row(21, train_loss=0.125, quests_done=3),
    ]
    found = statistics(ledger)
    assert (found.level, found.xp, found.atk, found.defense) == (2, 2100, 8.0, 4.0)
    assert (found.acc, found.gold) == (0.8, 300)
    assert msgspec.to_builtins(found).keys() == {"level", "xp", "atk", "def", "acc", "gold"}


@pytest.mark.parametrize("loss", [None, 0.0])
def test_a_loss_that_was_not_measured_gives_no_strength(loss: float | None) -> None:
    assert statistics([row(1, train_loss=loss)]).atk is None
    assert statistics([]).xp == 0


def test_a_sidecar_tells_accuracies_by_skill_and_level() -> None:
    one = row(1, result(1, 5), result(2, 2), result(1, 0, skill="sy", version=V2))
    said = sidecar_record(one, "pip/campaign-001", {})
    assert (said["accuracy"], said["skill_name"], said["skill_level"]) == (7 / 15, "sy", 1)
    assert said["skill_metrics"] == {
        "bin": {"accuracy": 0.7, "accuracy_level_1": 1.0, "accuracy_level_2": 0.4},
        "sy": {"accuracy": 0.0, "accuracy_level_1": 0.0},
    }
    assert said["linked_eval_ids"] == ["100-bin-1-11111111", "100-bin-2-11111111", "100-sy-1-22222222"]


def test_campaign_json_tells_mastered_levels_and_the_highest_accuracy() -> None:
    campaign = CampaignRow(uid="u", name="pip/one", status="paused", created_at="2026-01-31T11:00:00Z")
    card = CampaignCard(name="", description="", skills_focus=("bin",), config_overrides={})
    ledger = [row(number, result(1, number)) for number in (5, 5, 4)]
    record = campaign_record(card, campaign, ledger, {"level_transitions": ["older"]})
    assert record["peak_skill_levels"] == {"bin": 1}
    assert record["peak_metrics"]["highest_accuracy"] == 1.0
    (gained,) = record["level_transitions"]
    assert (gained["skill_id"], gained["from_level"], gained["to_level"], gained["steps_taken"]) == (
        "bin", 0, 1, 400,
    )  # fmt: skip
    kept = campaign_record(card, campaign, [row(1)], {"level_transitions": ["older"]})
    assert kept["level_transitions"] == ["older"]
