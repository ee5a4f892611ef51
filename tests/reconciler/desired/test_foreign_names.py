"""Words of other trainers in a spec: what each is called here, not the word of ours that looks like it."""

import pytest

from reconciler.desired.command_line import BadSettingError, said_on_command_line
from reconciler.desired.foreign_names import _ELSEWHERE, _SETTINGS, _VALUES
from reconciler.desired.optimizers import OLDER_OPTIMIZERS, OPTIMIZERS
from reconciler.desired.schedulers import OLDER_SCHEDULERS, SCHEDULERS
from reconciler.desired.training import TrainingSettings
from reconciler.desired.unsupported import meant_value
from reconciler.desired.validation import _hint_at

CAMPAIGN = "specs/campaigns/pip/campaign-001.yaml"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("lr: 0.001", "here: learning_rate"),
        ("per_device_train_batch_size: 4", "here: batch_size"),
        ("warmup_ratio: 0.1", "here: warmup_steps, in updates instead of a share"),
        ("bf16: true", "here: precision: bf16"),
        ("eval_steps: 10", "here: evaluation.every_updates"),
        ("max_steps: 10", "here: goal: {updates: ...} of the campaign"),
        ("num_train_epochs: 3", "here: epochs of the quest, in specs/queue.yaml"),
        ("logging_steps: 3", "remove it: every update is in the run's metrics.jsonl"),
        ("lora: {r: 8}", "here: lora.rank"),
        ("evaluation: {eval_steps: 8}", "here: evaluation.every_updates"),
    ],
)
def test_a_setting_is_told_by_its_name_here(mistakes_in, small, said: str, told: str) -> None:
    small[CAMPAIGN] += f"config_overrides: {{{said}}}\n"
    (mistake,) = mistakes_in(small)
    key = said.rpartition("{")[2].partition(":")[0]
    assert mistake.sentence == f'unknown key "{key}"; {told}'


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (CAMPAIGN, "here: learning_rate, under config_overrides"),
        ("specs/heroes/pip.yaml", "here: learning_rate, under training_defaults"),
        ("specs/realm.yaml", "here: learning_rate, under defaults"),
    ],
)
def test_at_the_top_of_a_file_the_section_is_told_too(mistakes_in, small, file: str, told: str) -> None:
    small[file] += "lr: 0.001\n"
    (mistake,) = mistakes_in(small)
    assert mistake.sentence == f'unknown key "lr"; {told}'


def test_epochs_of_a_quest_are_told_where_they_stand(mistakes_in, small) -> None:
    small["specs/queue.yaml"] = (
        "quests: [{id: q1, file: data/q.jsonl, num_train_epochs: 2, lr: 0.1, for: [pip/campaign-001]}]\n"
    )
    told = [one.sentence for one in mistakes_in(small)]
    assert told == [
        'unknown key "num_train_epochs"; here: epochs of the quest, in specs/queue.yaml',
        'unknown key "lr"; here: learning_rate, under config_overrides of the campaign',
    ]


def test_a_word_of_the_field_elsewhere_is_what_it_is_there(mistakes_in, small) -> None:
    """Of retention's and skills' keys no other trainer has names."""
    small["specs/retention.yaml"] = "lr: 3\n"
    (mistake,) = mistakes_in(small)
    assert mistake.message == 'unknown key "lr"'
    assert "learning_rate" not in mistake.sentence


def test_on_the_command_line_too() -> None:
    with pytest.raises(BadSettingError, match=r'unknown key "lr"; here: learning_rate$'):
        said_on_command_line(["lr=1e-4"])


def test_a_key_that_nobody_has_comes_with_where_all_of_them_stand(mistakes_in, small) -> None:
    small[CAMPAIGN] += "config_overrides: {wibble: 1}\n"
    (mistake,) = mistakes_in(small)
    assert mistake.sentence.endswith("more; all of them: reconcile schema campaign")


def test_what_the_table_leads_to_is_there_and_what_it_leads_from_is_not() -> None:
    for foreign, ours in _SETTINGS.items():
        path = tuple(ours.partition(":")[0].partition(",")[0].split("."))
        assert _hint_at(TrainingSettings, path) is not None, foreign
    settings = set(TrainingSettings.__struct_fields__)
    assert not settings & (_SETTINGS.keys() | _ELSEWHERE.keys())


def test_a_foreign_value_is_told_by_the_one_that_does_the_same() -> None:
    assert meant_value("warmup_stable_decay", SCHEDULERS) == "wsd"
    assert meant_value("adamw_torch_fused", OPTIMIZERS) == "adamw"
    assert meant_value("paged_lion", OPTIMIZERS) is None
    assert set(_VALUES) <= OLDER_OPTIMIZERS | OLDER_SCHEDULERS
