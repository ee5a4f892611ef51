"""`specs/campaigns/<hero>/<id>.yaml`: one life of a hero."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.desired.base import (
    FolderPath,
    FormerName,
    Id,
    Line,
    Record,
    Spec,
    When,
    Words,
    is_known,
    is_line,
)
from reconciler.desired.places import Finding
from reconciler.desired.skill import skill_id
from reconciler.desired.training import TrainingSettings, Updates, check_settings
from state.contract.goals import Goals
from state.ids import is_campaign_name

Count = Annotated[int, Meta(gt=0, le=10**15)]


def is_starting_checkpoint(text: str) -> bool:
    """Is this `<hero>/<campaign>@best`, `@latest`, `@<step>` or `@<segment>:<step>`, or an absolute path?"""
    if text.startswith("/"):
        return is_line(text)
    campaign, at, which = text.partition("@")
    segment, colon, step = which.rpartition(":")
    is_number = all(part.isascii() and part.isdecimal() for part in ((segment, step) if colon else (step,)))
    is_step = is_number and len(which) <= MAX_STEP_DIGITS
    return bool(at) and is_campaign_name(campaign) and (which in ("best", "latest") or is_step)


MAX_STEP_DIGITS = 15
StartingCheckpoint = Annotated[
    str,
    Words(
        "<hero>/<campaign>@best, @latest or @<step>, or the absolute path of a folder",
        is_starting_checkpoint,
        "^(/.+|[^@]+@[a-z0-9:]+)$",
    ),
]


class Goal(Record, frozen=True, kw_only=True):
    """When a campaign has come where it wanted: whichever comes first. A higher goal wakes it."""

    updates: Updates | None = None
    """Optimizer updates of the weights, those before its starting checkpoint too."""
    steps: Updates | None = None
    """The same as updates."""
    tokens: Count | None = None
    """Tokens that the weights have learnt from."""
    quests: Count | None = None
    """Quests that it has learnt to the end."""

    @property
    def goals(self) -> Goals:
        """Return the goals without the two names for one thing."""
        updates = self.updates if self.updates is not None else self.steps
        return Goals(updates=updates, tokens=self.tokens, quests=self.quests)


class Milestone(Record, frozen=True, kw_only=True):
    """A step to be remembered: the first checkpoint at or after it is kept for ever, with its metrics."""

    step: Annotated[int, Meta(ge=1, le=10**15)]
    """Optimizer updates. One that has passed already is fine: the next checkpoint after it stands for it."""
    note: Line | None = None
    """For people."""
    date: When | None = None
    """For people; absent: when it was reached."""


class Rewind(Record, frozen=True, kw_only=True):
    """Go back to an earlier checkpoint, once. Later ones stay, aside; their rows are learnt again.

    The line may stay: it is done once. Another reason makes it another rollback.
    """

    to: Annotated[int, Meta(ge=0, le=10**15)]
    """The step of a checkpoint of the campaign's living history; 0: the first weights."""
    reason: Line
    """For people, and kept in the history."""


class Release(Record, frozen=True, kw_only=True):
    """A checkpoint to hand out: a short branch whose rate falls. The campaign goes on as without it."""

    at: Annotated[int, Meta(ge=1, le=10**15)]
    """It branches off from the first checkpoint at or after this step, and after the warm-up."""
    updates: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    """Optimizer updates of the branch, on the rows that come next there."""
    to: Annotated[float, Meta(gt=0, le=1)] = 0.1
    """The share of the learning rate that is left at its last update."""
    note: Line | None = None
    """For people."""


class Campaign(Spec, frozen=True, kw_only=True):
    """A campaign of the hero whose folder it is in; it is named `<hero>/<id>`."""

    id: Id
    """Equals the file's name; campaign-NNN by custom."""
    was: FormerName | None = None
    """Its former name: the same campaign goes on, in the same folder; none: it is a new one, whatever history
    looks like. The line may stay."""
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
    milestones: tuple[Milestone, ...] | None = None
    """Steps to remember; retention keeps their checkpoints. Absent: those it has stay; [] forgets them."""
    releases: tuple[Release, ...] = ()
    """Checkpoints to hand out, each at the end of a short branch; the next one may be added at any time."""
    rewind: Rewind | None = None
    """Go back to an earlier checkpoint, in a new segment of its history; absent: go on."""
    starting_checkpoint: StartingCheckpoint | None = None
    """Begin with the weights of this checkpoint of any campaign, or of a folder that other software saved;
    absent: with the base model."""
    state: Literal["archived", "deleted"] | None = None
    """Absent: active if realm.yaml names it, else paused. archived: it rests in the Hall of Legends.
    deleted: all of it goes, after an approval; its number stays taken."""
    keep: Literal["metrics"] | None = None
    """Of an archived campaign. Absent: all of it. metrics: every checkpoint goes, after an approval."""
    export_to: FolderPath | None = None
    """Before such a clean-up, or before it is deleted: a folder outside of the root, into which every
    checkpoint is copied and read back first."""

    def __post_init__(self) -> None:
        if is_known(self.skills_focus):
            named = tuple(skill_id(one) if is_known(one) else one for one in self.skills_focus)
            msgspec.structs.force_setattr(self, "skills_focus", named)


HINTS = {
    ("state", "active"): "remove this line and name the campaign in specs/realm.yaml: active",
    ("state", "paused"): "remove this line: a campaign that specs/realm.yaml does not name is paused",
    ("state", "completed"): "remove this line: a paused campaign whose goal is reached is completed",
}
"""What to do about values that people are likely to write."""

LATER: dict[str, str] = {}


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what is wrong between keys of a campaign."""
    yield from check_settings(campaign.config_overrides, "config_overrides")
    yield from _check_goal(campaign.goal)
    yield from _check_milestones(campaign.milestones)
    if (
        is_known(campaign.keep)
        and is_known(campaign.state)
        and campaign.keep
        and campaign.state != "archived"
    ):
        message = "keep: metrics is for archived campaigns; this one has no state: archived"
        yield Finding(at=("keep",), on_key=True, message=message, hint="add that line, or remove this one")
    if is_known(campaign.suspend, campaign.state) and campaign.suspend and campaign.state:
        message = f"contradicts state: {campaign.state}: suspended, nothing is done for it, nor is it moved"
        hint = "keep one of the two lines: an archived or deleted campaign does not train anyway"
        yield Finding(at=("suspend",), on_key=True, message=message, hint=hint)
    yield from _check_export(campaign)
    yield from _check_releases(campaign.releases)
    seen: set[str] = set()
    for index, skill in enumerate(campaign.skills_focus):
        if skill in seen:
            yield Finding(at=("skills_focus", index), message=f'"{skill}" stands here twice')
        seen.add(skill)


def _check_goal(goal: Goal | None) -> Iterator[Finding]:
    if not is_known(goal) or goal is None:
        return
    given = [name for name in Goal.__struct_fields__ if getattr(goal, name) is not None]
    if not given:
        hint = f"give one of {', '.join(Goal.__struct_fields__)}; or remove it"
        yield Finding(at=("goal",), message="says no goal", hint=hint)
    if {"updates", "steps"} <= set(given):
        message = "updates and steps are two names for one thing"
        yield Finding(at=("goal", "steps"), on_key=True, message=message, hint="remove one of them")


def _check_export(campaign: Campaign) -> Iterator[Finding]:
    if not is_known(campaign.export_to, campaign.keep, campaign.state) or campaign.export_to is None:
        return
    if campaign.keep is None and campaign.state != "deleted":
        message = "export_to is for a clean-up; this campaign has neither keep: metrics nor state: deleted"
        hint = "add one of these, or copy now: reconcile export CAMPAIGN@STEP --to DIR"
        yield Finding(at=("export_to",), on_key=True, message=message, hint=hint)


def _check_releases(releases: tuple[Release, ...]) -> Iterator[Finding]:
    seen: dict[Release, int] = {}
    for index, release in enumerate(releases):
        plain = Release(at=release.at, updates=release.updates, to=release.to)
        if plain in seen:
            message = f"is releases[{seen[plain]}] again"
            yield Finding(at=("releases", index), message=message, hint="remove one of them")
        seen.setdefault(plain, index)


def _check_milestones(milestones: tuple[Milestone, ...] | None) -> Iterator[Finding]:
    first: dict[int, int] = {}
    for index, milestone in enumerate(milestones or ()):
        if not is_known(milestone.step):
            continue
        if milestone.step in first:
            message = f"{milestone.step} is the step of milestones[{first[milestone.step]}] already"
            yield Finding(at=("milestones", index, "step"), message=message, hint="put both notes into one")
        first.setdefault(milestone.step, index)
