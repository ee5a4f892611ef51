"""A training setting at the top level of a spec: the likeliest mistake of a beginner."""

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
    told = f'"learning_rate" does not belong here; it is a training setting: put it under {section}'
    assert mistake.sentence == told


def test_an_unknown_key_that_is_no_setting_is_still_unknown(mistakes_in, small) -> None:
    small["specs/campaigns/pip/campaign-001.yaml"] += "colour: red\n"
    (mistake,) = mistakes_in(small)
    assert mistake.message == 'unknown key "colour"'


def test_a_campaign_that_says_it_was_itself_is_told_to_remove_the_line(mistakes_in, small) -> None:
    small["specs/campaigns/pip/campaign-001.yaml"] += "was: pip/campaign-001\n"
    (mistake,) = mistakes_in(small)
    assert mistake.sentence == "is this very campaign; remove this line"
