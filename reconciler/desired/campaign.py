"""`specs/campaigns/<hero>/<id>.yaml`: one life of a hero."""

from collections.abc import Iterator
from typing import Literal

from reconciler.desired.base import Id, Line, Record, Spec
from reconciler.desired.places import Finding
from reconciler.desired.training import TrainingSettings, Updates, check_settings


class Goal(Record, frozen=True, kw_only=True):
    """When a campaign has come where it wanted; a later quest or a higher goal wakes it."""

    updates: Updates
    """Optimizer updates."""


class Campaign(Spec, frozen=True, kw_only=True):
    """A campaign of the hero whose folder it is in; it is named `<hero>/<id>`."""

    id: Id
    """Equals the file's name; campaign-NNN by custom."""
    name: Line | None = None
    """For people."""
    description: str | None = None
    """For people."""
    skills_focus: tuple[Id, ...] = ()
    """Skills that this campaign is about."""
    goal: Goal | None = None
    """Absent: it trains until its quests are done."""
    config_overrides: TrainingSettings | None = None
    """Settings that differ from the hero's."""
    state: Literal["archived"] | None = None
    """Absent: active if realm.yaml names it, else paused. archived: it rests in the Hall of Legends."""


HINTS = {
    ("state", "active"): "remove this line and name the campaign in specs/realm.yaml: active",
    ("state", "paused"): "remove this line: a campaign that specs/realm.yaml does not name is paused",
    ("state", "completed"): "remove this line: a paused campaign whose goal is reached is completed",
    ("state", "deleted"): "this version does not delete campaigns; archived keeps it out of the way",
}
"""What to do about values that people are likely to write."""

LATER = {
    "starting_checkpoint": "starting from a checkpoint",
    "milestones": "milestones",
}


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what is wrong between keys of a campaign."""
    yield from check_settings(campaign.config_overrides, "config_overrides")
    seen: set[str] = set()
    for index, skill in enumerate(campaign.skills_focus):
        if skill in seen:
            yield Finding(at=("skills_focus", index), message=f'"{skill}" stands here twice')
        seen.add(skill)
