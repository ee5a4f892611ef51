"""The plan as data: changes with their reasons, what is blocked, and what was seen on the way."""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Any, Literal

import msgspec

from reconciler.plan.actions import AnyAction
from state.canonical import sha256_of

HELD = "held"
"""The code of a campaign that a person paused or stopped: nothing has to be mended."""
HERO_BLOCKED = "hero-blocked"
"""The code of a campaign whose hero is blocked: that is told with the hero."""
WAITS = "waits"
"""The code of what waits for its turn."""
NAMES_IN_DOUBT = ("name-taken", "rename-unsaid")
"""The codes of specs that are left out of a plan until somebody says which campaign they are."""
NOT_BROUGHT_BACK = "not-brought-back"
"""The code of a checkpoint that is to lie in the root again and cannot: nothing of it is deleted."""
SETTLES = "settles"
"""The code of a file that somebody still brings here."""
BACKOFF = "backoff"
"""The code of a campaign whose run failed, and that is launched again when the time to wait is over."""
FETCH_BACKOFF = "fetch-backoff"
"""The code of content that could not be brought in, and that is fetched again then."""
GIVEN_UP = "given-up"
"""The code of a campaign whose runs failed too often: it is launched again when a person says so."""
FETCH_GIVEN_UP = "fetch-given-up"
"""The code of content that could not be brought in too often, or whose rows are refused: it is fetched again
when a person says so, or what decides about it changes."""

FAILS = "fails"
"""How the code of a change begins that failed and is held back until its next try; its verb follows."""

Source = Literal["edit", "drift", "progress", "rules", "request"]
"""edit: the specs moved. drift: the world moved. progress: training came further. rules: retention or the
time of grace says so, whether training or an edit moved it. request: somebody asked, by command or file."""


class Risk(StrEnum):
    """What could be lost by a change."""

    NONE = "none"
    INTERRUPTS = "interrupts"
    """A running trainer saves and stops."""


class Setback(msgspec.Struct, frozen=True, kw_only=True):
    """That a change failed when it was last tried, with the same inputs as now."""

    num_failures: int
    """Since it last succeeded, or a person forgave it."""
    last_at: str
    outcome: str
    """Of the last one: where, what was found, what to do."""
    hint: str
    """The cheapest way out."""

    @property
    def text(self) -> str:
        """Return it in words."""
        times = "once" if self.num_failures == 1 else f"{self.num_failures:,} times, last"
        return f"failed {times} at {self.last_at}: {self.outcome}"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do."""

    id: str
    """Hash of the action with all its inputs: the same change has the same id in every plan."""
    action: AnyAction
    subject: str
    """What it is about, for example `campaign/tiny-adamw/campaign-001`."""
    reason: str
    cause: str
    """The line of a spec (`specs/realm.yaml:3`), or the fact, that made it necessary."""
    source: Source
    """Did the specs move, did the world move, did training come further, or did somebody ask for it?"""
    risk: Risk = Risk.NONE
    needs: tuple[str, ...] = ()
    """Ids of changes of this plan that must have succeeded before."""
    needs_one_of: tuple[str, ...] = ()
    """Ids of changes of this plan of which one must have succeeded before; empty: none."""
    setback: Setback | None = None
    """How it failed when it was last tried; None: it was not, or has succeeded since."""

    def waits_on(self, gone: Collection[str]) -> tuple[str, ...]:
        """Return the ids without which it cannot begin, of those that failed or are left out."""
        missing = [need for need in self.needs if need in gone]
        others = self.needs_one_of if all(one in gone for one in self.needs_one_of) else ()
        return (*missing, *others)


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the specs ask for and that cannot be done now."""

    subject: str
    code: str
    """Its name, for example `model-missing`."""
    message: str
    cause: str
    hint: str
    """The cheapest thing that would unblock it."""
    until: str | None = None
    """When it goes on by itself, whatever anybody does, in UTC; None: time alone does not end it."""

    @property
    def is_waiting(self) -> bool:
        """Does nobody have to mend anything, and will it go on by itself when its turn comes?"""
        return self.code in (WAITS, SETTLES) or self.is_tried_again

    @property
    def is_tried_again(self) -> bool:
        """Has it failed, and is it tried again in time? Its message says when."""
        return self.code in (BACKOFF, FETCH_BACKOFF)

    @property
    def has_failed(self) -> bool:
        """Was it tried, and did it fail, be it tried again in time or given up?"""
        return self.is_tried_again or self.code in (GIVEN_UP, FETCH_GIVEN_UP) or self.code.startswith(FAILS)


def num_obstacles(blocked: Sequence[Blocked]) -> int:
    """Return how many things are in the way that somebody must mend.

    What only points to one of them is none of its own; what a person holds by a request is as it should be.
    """
    codes = [item.code for item in blocked if item.code != HELD]
    return sum(code != HERO_BLOCKED for code in codes) or min(1, len(codes))


def first_obstacle(blocked: Sequence[Blocked]) -> Blocked | None:
    """Return the first thing in the way that somebody must mend."""
    return next((item for item in blocked if item.code != HELD), None)


def counted(blocked: Sequence[Blocked]) -> Iterator[str]:
    """Yield `2 blocked` and `1 on hold`, as far as there is any."""
    if number := num_obstacles(blocked):
        yield f"{number:,} blocked"
    if held := sum(item.code == HELD for item in blocked):
        yield f"{held:,} on hold"


MOST_OF_A_KIND = 20
"""So many of one kind are told one by one where people read."""
_MOST_AT_REST = 1
"""So many checkpoints that a suspension keeps in the trash: nobody has to mend anything about them."""


def folded(blocked: Sequence[Blocked]) -> tuple[Blocked, ...]:
    """Return what is in the way with at most so many of a kind, and a line with the number of the others."""
    kinds: dict[tuple[str, str], list[Blocked]] = {}
    for item in blocked:
        kinds.setdefault((item.subject.partition("/")[0], item.code), []).append(item)
    more = {
        id(of_kind[most - 1]): _others(kind, of_kind, most)
        for (kind, code), of_kind in kinds.items()
        if len(of_kind) > (most := _most(kind, code))
    }
    shown = {id(item) for (kind, code), of_kind in kinds.items() for item in of_kind[: _most(kind, code)]}
    told = [(item, more.get(id(item))) for item in blocked if id(item) in shown]
    return tuple(one for pair in told for one in pair if one is not None)


def _most(kind: str, code: str) -> int:
    return _MOST_AT_REST if (kind, code) == ("checkpoint", "suspended") else MOST_OF_A_KIND


def _others(kind: str, of_kind: Sequence[Blocked], most: int) -> Blocked:
    """Return the line that stands for those of a kind that are not told one by one."""
    num_others = len(of_kind) - most
    return Blocked(
        subject=kind,
        code=of_kind[0].code,
        message=f"{num_others:,} more like these ({of_kind[0].code}); all of them: reconcile plan --json",
        cause=f"{len(of_kind):,} in all",
        hint=of_kind[0].hint,
    )


class Awaiting(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan would destroy and does not, until a person approves exactly this."""

    digest: str
    checkpoints: int
    """Gone whole."""
    size_bytes: int
    gpu_hours: float
    """Of work that nothing else holds."""
    demoted: int = 0
    """Others, that would keep their weights only."""
    demoted_bytes: int = 0
    """Of their optimizer state; part of `size_bytes`."""
    why: str
    changes: tuple[Change, ...]


class Unasked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that lies in the trash beyond its time, because nothing asks any more for it to go.

    Nothing waits for a person: it stays, until somebody wants it back or gone.
    """

    sequence: int
    """Of its tombstone."""
    subject: str
    what: str
    """It, in words."""
    thing: str
    """What undelete takes."""
    campaign: str
    why: Literal["no-spec", "no-rule"]


class KeptNow(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say of the checkpoints of a campaign that lie there now."""

    campaign: str
    cause: str
    """The line of the rules."""
    num_kept: int
    kept_bytes: int
    num_dropped: int
    dropped_bytes: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that apply would do, in its order."""

    realm: str
    root: str
    specs_commit: str
    changes: tuple[Change, ...]
    blocked: tuple[Blocked, ...]
    warnings: tuple[str, ...]
    unchanged: int
    """Subjects that are as they should be."""
    awaiting: Awaiting | None = None
    """What waits for an approval; no part of `changes`."""
    afterwards: tuple[Change, ...] = ()
    """What is dropped of the campaigns that this plan archives, once they lie there; no part of `changes`."""
    kept: tuple[KeptNow, ...] = ()
    """Of each campaign that has rules."""
    unasked: tuple[Unasked, ...] = ()
    """What stays in the trash; `warnings` say so."""
    left_out: tuple[Change, ...] = ()
    """What `--only`, `--exclude` or a saved plan leaves out; no part of `changes`."""

    @property
    def in_the_way(self) -> tuple[Blocked, ...]:
        """What is blocked: somebody has to mend it. What only waits for its turn is in `waits`."""
        return tuple(item for item in self.blocked if not item.is_waiting)

    @property
    def waits(self) -> tuple[Blocked, ...]:
        """What has its turn later, and what failed and is tried again in time."""
        return tuple(item for item in self.blocked if item.is_waiting)

    @property
    def tried_again(self) -> tuple[Blocked, ...]:
        """What failed and is tried again in time."""
        return tuple(item for item in self.blocked if item.is_tried_again)

    @property
    def setbacks(self) -> tuple[Change, ...]:
        """What apply tries again though it failed the last time; part of `changes`."""
        return tuple(change for change in self.changes if change.setback is not None)

    @property
    def digest(self) -> str:
        """Return the digest of what it would do."""
        return sha256_of([change.id for change in self.changes])


_AT_A_COMMIT = "specs_commit"
"""What every launch carries and says nothing about what is done."""


def effect_of(change: Change) -> str:
    """Return what a change does, whatever commit it is done for: equal texts, equal effects."""
    fields: dict[str, Any] = msgspec.to_builtins(change.action)
    fields.pop(_AT_A_COMMIT, None)
    return msgspec.json.encode(fields, order="sorted").decode()


def change_id(action: AnyAction) -> str:
    """Return the id of a change: the hash of its action and all inputs."""
    return sha256_of(msgspec.to_builtins(action))
