"""A word of a person's that has a name in it which its campaign had before a rename."""

import msgspec
import pytest

from state.former_names import called_now, several_had
from state.store.rows import CampaignRow

ROW = CampaignRow(uid="u1", name="pip/campaign-001", status="active", created_at="2026-01-01T00:00:00Z")


def rows(**former: str) -> tuple[CampaignRow, ...]:
    """Return campaigns of pip, each with the names that it had."""
    told = ((f"pip/{name.replace('_', '-')}", had) for name, had in former.items())
    return tuple(
        msgspec.structs.replace(ROW, uid=f"u-{name}", name=name, former_names=had) for name, had in told
    )


@pytest.mark.parametrize("more", ["", "@8", "@2:8", "@best", "/g1a2"])
def test_a_former_name_that_one_campaign_had_is_that_one(more: str) -> None:
    known = rows(first_light="pip/campaign-001 pip/campaign-002", other="")
    assert called_now(known, f"pip/campaign-002{more}") == f"pip/first-light{more}"
    assert several_had(known, f"pip/campaign-002{more}") is None


def test_a_name_that_a_campaign_has_is_that_one_whoever_had_it_before() -> None:
    known = rows(one="pip/two", two="pip/one pip/campaign-001")
    for word in ("pip/one@8", "pip/two"):
        assert called_now(known, word) == word
        assert several_had(known, word) is None


def test_a_former_name_that_two_campaigns_had_is_neither_and_both_are_told() -> None:
    known = rows(two="pip/campaign-001", one="pip/campaign-001 pip/campaign-009", other="")
    assert called_now(known, "pip/campaign-001@8") == "pip/campaign-001@8"
    assert (
        several_had(known, "pip/campaign-001@8") == "pip/campaign-001 was the name of pip/one and of pip/two"
    )
    assert called_now(known, "pip/campaign-009") == "pip/one"


def test_a_name_that_nobody_ever_had_stays_as_it_is() -> None:
    assert called_now(rows(one=""), "pip/other@8") == "pip/other@8"
    assert several_had(rows(one=""), "pip/other@8") is None
