"""A key in the wrong section of a spec, a training setting at the top above all: what beginners do."""

import pytest


@pytest.mark.parametrize(
    ("file", "section"),
    [
        ("specs/campaigns/pip/campaign-001.yaml", "config_overrides"),
        ("specs/heroes/pip.yaml", "training_defaults"),
        ("specs/realm.yaml", "defaults"),
    ],
)
def test_a_training_setting_at_the_top_level_is_told_where_it_belongs(
    mistakes_in, small, file: str, section: str
) -> None:
    small[file] += "learning_rate: 1.0e-4\n"
    (mistake,) = mistakes_in(small)
    told = f'"learning_rate" does not belong here; it is a training setting: put it under {section}:'
    assert mistake.sentence == told


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        ("ballast: 1GB\n", "ballast", "put it under disk:"),
        ("gpu_hours: 3\n", "gpu_hours", "put it under apply.approve_above:"),
        ("apply: {floor: 1GB}\n", "floor", "put it under disk:"),
        ("disk: {active: pip/campaign-001}\n", "active", "put it at the top level"),
    ],
)
def test_a_key_of_another_section_is_told_where_it_belongs(
    mistakes_in, small, text: str, key: str, told: str
) -> None:
    small["specs/realm.yaml"] += text
    (mistake,) = mistakes_in(small)
    assert mistake.sentence == f'"{key}" does not belong here; {told}'


def test_a_rule_of_retention_at_the_top_may_be_of_either_set(mistakes_in, small) -> None:
    small["specs/retention.yaml"] = "keep_daily: 3\n"
    (mistake,) = mistakes_in(small)
    told = "put it under campaigns.active: or put it under campaigns.archived:"
    assert mistake.sentence == f'"keep_daily" does not belong here; {told}'


def test_a_key_of_many_sections_is_told_as_unknown(mistakes_in, small) -> None:
    small["specs/realm.yaml"] += "backoff: 3s\n"
    (mistake,) = mistakes_in(small)
    assert mistake.message == 'unknown key "backoff"'


def test_an_unknown_key_that_is_no_setting_is_still_unknown(mistakes_in, small) -> None:
    small["specs/campaigns/pip/campaign-001.yaml"] += "colour: red\n"
    (mistake,) = mistakes_in(small)
    assert mistake.message == 'unknown key "colour"'


def test_a_campaign_that_says_it_was_itself_is_told_to_remove_the_line(mistakes_in, small) -> None:
    small["specs/campaigns/pip/campaign-001.yaml"] += "was: pip/campaign-001\n"
    (mistake,) = mistakes_in(small)
    assert mistake.sentence == "is this very campaign; remove this line"
