"""The fields of a record, told by `explain` in the words of people."""

from reconciler.app.explaining.item_facts import item_facts
from reconciler.app.looking.items import CheckpointItem, RunItem

EXAMINED = CheckpointItem(
    id="pip/campaign-001@10",
    state="complete",
    path="campaigns/pip/campaign-001/checkpoints/checkpoint-10",
    hero_id="pip",
    campaign_id="campaign-001",
    skill_name="bin",
    skill_level=2,
    skill_metrics={"bin": {"accuracy": 0.5, "accuracy_level_1": 1.0, "accuracy_level_2": 0.0}},
)


def test_an_examination_is_told_in_words_that_people_know() -> None:
    said = {fact.name: fact.text for fact in item_facts(EXAMINED)}
    assert (said["skill examined"], said["highest level examined"]) == ("bin", "2")
    assert said["accuracy by skill"] == "bin accuracy 50%; accuracy level 1 100%; accuracy level 2 0%"


def test_the_number_of_a_process_is_a_name_and_no_amount() -> None:
    run = RunItem(
        id="pip/campaign-001/g1-a1", state="running", end=None, device="cpu", launched_at="2026-01-31T12:00:00Z",
        ended_at=None, from_step=12000, to_step=None, config_hash="h", code_version="c", specs_commit="s", pid=27929,
        message=None,
    )  # fmt: skip
    said = {fact.name: fact.text for fact in item_facts(run)}
    assert (said["pid"], said["from step"]) == ("27929", "12,000")
