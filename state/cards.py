"""What the realm keeps of a campaign's spec, in its row, so that it outlives the spec."""

from typing import Any

import msgspec

from state.contract.goals import Goals


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """A step that a person marked; its first checkpoint at or after it is kept for ever."""

    step: int
    note: str = ""
    date: str | None = None
    """As the spec says it; None: when it was reached."""


class CampaignCard(msgspec.Struct, frozen=True, kw_only=True):
    """What campaign.json repeats from the campaign's spec."""

    name: str
    description: str
    skills_focus: tuple[str, ...]
    config_overrides: dict[str, Any]
    goal: Goals = Goals()
    milestones: tuple[Milestone, ...] | None = None
    """None: the spec says nothing of them; what an older file says is kept."""


def encode_card(card: CampaignCard) -> str:
    """Return the card as a row keeps it."""
    return msgspec.json.encode(card).decode()


def decode_card(text: str) -> CampaignCard | None:
    """Return the card in a row; None in one of an older version."""
    return msgspec.json.decode(text, type=CampaignCard) if text else None
