"""A saved plan: which effects a person saw, and what each object was like then. Pure.

It is never carried out as it stands. Apply plans anew and does those of its changes that are still planned
just so; everything else that the new plan holds is left alone. So a forged file can bring about nothing that
the specs do not ask for, and what happened elsewhere does not make a plan stale.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from reconciler.plan import actions as a
from reconciler.plan.changes import Change, Plan, effect_of
from reconciler.plan.review.narrowing import needs_of
from reconciler.plan.sentences import sentence_of
from reconciler.plan.world import World
from state.canonical import sha256_of

SCHEMA_VERSION = 1
KIND = "saved plan"
_GOES_ON = (a.LaunchRun, a.BeginSegment, a.ArchiveCampaign, a.DeleteCampaign)
"""Whose effect hangs on the checkpoint that is the newest then."""
_OF_CAMPAIGNS = (
    *_GOES_ON,
    a.ActivateCampaign,
    a.DeactivateCampaign,
    a.RegisterCampaign,
    a.RenameCampaign,
    a.RestoreCampaign,
    a.TakeOverCheckpoint,
    a.ImportCheckpoint,
)


class SavedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change, as a person saw it."""

    id: str
    """As in the plan that was shown."""
    effect: str
    """Digest of its action with all inputs, but for the commit."""
    subject: str
    words: str
    """Its sentence, for people."""


class Precondition(msgspec.Struct, frozen=True, kw_only=True):
    """What an object was like when it was planned for."""

    subject: str
    what: str
    was: str


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan --out FILE` writes and `apply FILE` does."""

    schema_version: int = SCHEMA_VERSION
    kind: str = KIND
    realm: str
    realm_uid: str
    """Given once to the root: the same specs elsewhere are another realm."""
    root: str
    commit: str
    commit_name: str
    host: str | None
    settings: tuple[str, ...]
    """Of --set: apply does the same with them."""
    made_at: str
    made_by: str
    changes: tuple[SavedChange, ...]
    preconditions: tuple[Precondition, ...]
    awaited: str | None = None
    """What waited for an approval, and is not in it, in words; None: nothing did, or nobody wrote it down."""
    digest: str = ""
    """Of all the rest."""


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """An object that is not any more as it was planned for."""

    subject: str
    text: str


def with_digest(saved: SavedPlan) -> SavedPlan:
    """Return the plan with the digest of everything else in it."""
    fields = msgspec.to_builtins(msgspec.structs.replace(saved, digest=""))
    if saved.awaited is None:
        del fields["awaited"]  # files from before it was written have no such key in their digest
    return msgspec.structs.replace(saved, digest=sha256_of(fields))


def saved_changes(plan: Plan) -> tuple[SavedChange, ...]:
    """Return the changes of a plan, as they are kept."""
    return tuple(
        SavedChange(id=change.id, effect=_effect(change), subject=change.subject, words=_words(change))
        for change in plan.changes
    )


def conditions_of(world: World, changes: Iterable[Change]) -> tuple[Precondition, ...]:
    """Return what the objects of these changes are like, as far as their effect hangs on it."""
    found = {
        (one.subject, one.what): one
        for change in changes
        if isinstance(change.action, _OF_CAMPAIGNS)
        for one in _of_campaign(world, change.action)
    }
    return tuple(found[key] for key in sorted(found))


def _of_campaign(world: World, action: a.AnyAction) -> Iterator[Precondition]:
    campaign = str(getattr(action, "campaign", ""))
    subject, row = f"campaign/{campaign}", world.facts.campaign_row(campaign)
    yield Precondition(subject=subject, what="its state", was=row.status if row else "not known yet")
    yield Precondition(subject=subject, what="a pause or stop", was=world.hold(campaign) or "none")
    if isinstance(action, _GOES_ON) and not world.is_training(campaign):
        newest = world.newest_checkpoint(campaign)
        was = f"@{newest.step}, {newest.digest[:19]}" if newest is not None else "none"
        yield Precondition(subject=subject, what="the checkpoint to go on from", was=was)


def still_planned(saved: SavedPlan, plan: Plan) -> dict[str, Change]:
    """Return the changes of a new plan that the saved one holds, by their effect."""
    wanted = {one.effect for one in saved.changes}
    return {effect: change for change in plan.changes if (effect := _effect(change)) in wanted}


def stale_objects(saved: SavedPlan, plan: Plan, world: World, done: frozenset[str]) -> tuple[Stale, ...]:
    """Return what keeps a saved plan from being done, object by object; empty: it can be done.

    `done` are the ids of its changes that were done since it was made: a kill may have come between.
    """
    planned = still_planned(saved, plan)
    left = [one for one in saved.changes if one.id not in done]
    found = [
        Stale(subject=one.subject, text=f"{one.words}: {_instead(one, plan)}")
        for one in left
        if one.effect not in planned
    ]
    found += _needed_now(plan, planned)
    touched = {one.subject.partition("/")[2] for one in saved.changes if one.id in done}
    found += _moved(saved.preconditions, planned, world, touched)
    return tuple(dict.fromkeys(found))


def _instead(saved: SavedChange, plan: Plan) -> str:
    """Say what is planned for the object now."""
    now = [_words(change) for change in plan.changes if change.subject == saved.subject]
    blocked = [item.message for item in plan.blocked if item.subject == saved.subject]
    if saved.words in now:
        return "now it would be done in another way, or for another reason; see the plan as it is now"
    if now:
        return f"now it would be: {', '.join(now)}"
    if blocked:
        return f"now it is blocked: {blocked[0]}"
    return "nothing is to be done about it any more"


def _needed_now(plan: Plan, planned: Mapping[str, Change]) -> Iterator[Stale]:
    """Yield what a change needs now that nobody saw when the plan was made."""
    needs, by_id = needs_of(plan.changes), {change.id: change for change in plan.changes}
    allowed = {change.id for change in planned.values()}
    for change in planned.values():
        for need in needs[change.id]:
            if need in by_id and need not in allowed:
                text = f"{_words(change)} needs now, too: {_words(by_id[need])}"
                yield Stale(subject=change.subject, text=text)


def _moved(
    conditions: Sequence[Precondition],
    planned: Mapping[str, Change],
    world: World,
    touched: set[str],
) -> Iterator[Stale]:
    now = {(one.subject, one.what): one.was for one in conditions_of(world, planned.values())}
    for one in conditions:
        is_now = now.get((one.subject, one.what))
        if is_now not in (None, one.was) and one.subject.partition("/")[2] not in touched:
            yield Stale(subject=one.subject, text=f"{one.what} was {one.was}, and is {is_now}")


def _effect(change: Change) -> str:
    return sha256_of(effect_of(change))


def _words(change: Change) -> str:
    sentence = sentence_of(change.action)
    return f"{sentence.verb} {sentence.subject}"


def saved_plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of a saved plan."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "saved plan: what `reconcile plan --out FILE` writes",
        **msgspec.json.schema(SavedPlan),
    }
