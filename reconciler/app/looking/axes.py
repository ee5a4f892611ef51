"""The two axes of a campaign: synced (does the world match the specs), healthy (is it well)."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from reconciler.app.looking.active_run import ActiveRun
from reconciler.app.planning.look import View
from reconciler.plan.actions import Action
from reconciler.plan.campaigns.overruled import overruled_deletion
from reconciler.plan.changes import (
    BACKOFF,
    FAILS,
    FETCH_BACKOFF,
    FETCH_GIVEN_UP,
    GIVEN_UP,
    Blocked,
    Change,
)
from reconciler.plan.queue.waiting import campaign_for
from reconciler.plan.retries.fetches import FETCHES
from reconciler.plan.sentences import failure_of, sentence_of
from reconciler.plan.world import World
from state.store.rows import CampaignRow

_BAD_ENDS = ("failed", "lost", "never_started")
SEE_LOGS = " See reconcile logs."
_FAILING = frozenset(
    {
        *(GIVEN_UP, BACKOFF, "trainer-silent", "unreachable", "checkpoints-unreadable"),
        *("checkpoint-missing", "checkpoint-changed", "checkpoint-damaged"),
        *("mend-failed", "mend-in-the-way"),
    }
)
State = Literal["synced", "out of sync", "blocked", "healthy", "degraded", "suspended", "on hold", "unknown"]


class Axis(msgspec.Struct, frozen=True):
    """One answer: a word to filter by, a reason word, and a sentence."""

    state: State
    reason: str
    sentence: str


def concerns(action: Action, subject: str, campaign: str) -> bool:
    """Is a change with this action and subject about the campaign?"""
    about = getattr(action, "campaign", None)
    return about == campaign or subject in (f"campaign/{campaign}", f"run/{campaign}")


def synced(view: View, world: World, name: str, run: ActiveRun | None) -> Axis:
    """Return whether the world is as the specs say; what is suspended or held never counts as that."""
    if world.is_deleted(name):
        return Axis("synced", "deleted", "it was deleted; its row, its ledger and its number stay")
    if name not in view.desired.campaigns:
        return Axis("out of sync", "orphan", "it has no spec any more; nothing of it is deleted")
    if (resting := _out_of_sight(view) or _resting(view, world, name, run)) is not None:
        return resting
    if (stuck := _standing_still(view, name)) is not None:
        return stuck
    changes = [
        change
        for change in view.plan.changes
        if change.source not in ("progress", "rules") and concerns(change.action, change.subject, name)
    ]
    asked = [change for change in changes if change.source == "request"]
    if len(asked) < len(changes):
        return _out_of_sync(view, changes)
    return _without_content(view, world, name, run) or _overruled(world, name) or _as_specified(view, asked)


def _out_of_sight(view: View) -> Axis | None:
    """Return that nobody can tell, where the root is gone."""
    use = view.facts.root_use
    return (
        Axis("unknown", "root-gone", "nobody can tell while the root is gone")
        if use and use.is_gone
        else None
    )


def _standing_still(view: View, name: str) -> Axis | None:
    """Return what somebody has to mend first; or that it failed, and when it is tried again."""
    subjects = (f"campaign/{name}", f"hero/{name.partition('/')[0]}")
    if blocked := [item for item in view.plan.in_the_way if item.subject in subjects]:
        return Axis("blocked", blocked[0].code, blocked[0].message)
    if again := [item for item in view.plan.tried_again if item.subject in subjects]:
        return Axis("out of sync", again[0].code, again[0].message)
    return None


def _without_content(view: View, world: World, name: str, run: ActiveRun | None) -> Axis | None:
    """Return that nothing is left to do because content could not be brought in; None: that is not why."""
    unfetched = _unfetched(view, world, name, run)
    if unfetched is None:
        return None
    is_given_up = unfetched.reason == FETCH_GIVEN_UP
    return msgspec.structs.replace(unfetched, state="blocked" if is_given_up else "out of sync")


def _as_specified(view: View, asked: Sequence[Change]) -> Axis:
    """Return that the world is as the specs say, and what a person asked for besides."""
    later = f"; {asked[-1].reason}, and apply does it ({asked[-1].cause})" if asked else ""
    if failed := _first_failure(asked):
        later = f"; {failed} ({asked[-1].cause})"
    return Axis("synced", "as-specified", f"as the specs say at {view.commit.id[:7]}{later}")


def _first_failure(changes: Iterable[Change]) -> str:
    """Return how the first of these failed that did when it was last tried; empty: none did."""
    return next(filter(None, map(failure_of, changes)), "")


def _overruled(world: World, name: str) -> Axis | None:
    """Return that the campaign is there against its spec, because a person took it back; None: it is not."""
    row = world.facts.campaign_row(name)
    if world.desired.campaigns[name].spec.state != "deleted" or row is None:
        return None
    if overruled_deletion(world, row) is None:
        return None
    where = world.where(f"campaign/{name}", "state")
    said = f"you took it back; the spec still says state: deleted ({where}); take that line out"
    return Axis("out of sync", "overruled", f"overruled: {said}")


def _out_of_sync(view: View, changes: Sequence[Change]) -> Axis:
    """Return what apply would do first, and whether the world moved, the specs did, or work is just left."""
    if failed := _first_failure(changes):
        return Axis("out of sync", FAILS, f"{failed}; apply tries it again")
    word = "to-do"
    if any(change.source == "drift" for change in changes):
        word = "drift"
    elif view.facts.store.applied_commit not in (None, view.commit.id):
        word = "edited"
    said = sentence_of(changes[0].action)
    more = f"; and {len(changes) - 1} more" if len(changes) > 1 else ""
    return Axis("out of sync", word, f"apply would {said.verb} {said.subject}: {changes[0].reason}{more}")


def healthy(view: View, world: World, name: str, run: ActiveRun | None) -> Axis:
    """Return how well a campaign is; what is suspended or gives no sign of life is never healthy."""
    if (resting := _out_of_sight(view) or _resting(view, world, name, run)) is not None:
        return resting
    of_run = _health_of_run(view, view.facts.campaign_row(name), run)
    if run is not None and of_run.state == "degraded":
        return of_run
    failing = [item for item in view.plan.blocked if _is_failing(item, name)]
    if failing:
        return Axis("degraded", failing[0].code, failing[0].message)
    own = [change for change in view.plan.setbacks if change.subject == f"campaign/{name}"]
    if failed := _first_failure(own):
        return Axis("degraded", FAILS, f"{failed}; apply tries it again")
    return _given_up(view, world, name, run) or of_run


def _given_up(view: View, world: World, name: str, run: ActiveRun | None) -> Axis | None:
    """Return that content was given up; while it is tried again its campaign is not ill."""
    unfetched = _unfetched(view, world, name, run)
    return unfetched if unfetched is not None and unfetched.reason == FETCH_GIVEN_UP else None


def _unfetched(view: View, world: World, name: str, run: ActiveRun | None) -> Axis | None:
    """Return that content which a campaign would train next could not be brought in; None while it trains."""
    if name != world.active or _lives(run):
        return None
    again = {
        change.subject: (FAILS, f"{failure_of(change)}; apply tries it again")
        for change in view.plan.setbacks
        if isinstance(change.action, FETCHES)
    }
    failed = again | {
        item.subject: (item.code, item.message)
        for item in view.plan.blocked
        if item.code in (FETCH_BACKOFF, FETCH_GIVEN_UP)
    }
    own = (quest for quest in view.quests if failed and f"quest/{quest.id}" in failed)
    first = next((quest for quest in own if campaign_for(world, quest) == name), None)
    if first is None:
        return None
    code, message = failed[f"quest/{first.id}"]
    return Axis("degraded", code, f"quest/{first.id}: {message}")


def _resting(view: View, world: World, name: str, run: ActiveRun | None) -> Axis | None:
    """Return who or what keeps a campaign from training on purpose, and whether its trainer has obeyed."""
    if name in view.desired.campaigns and (found := world.suspension(name)) is not None:
        thing, suspend = found
        word, still = ("suspending", _still(run, "leaves")) if _lives(run) else ("suspended", "")
        return Axis("suspended", word, f"{thing} is {suspend.words}{still}")
    row = view.facts.campaign_row(name)
    if row is None or row.hold is None or row.status in ("archived", "deleted"):
        return None  # what rests for good is not on hold, whatever was once asked
    asked = f"by {row.hold_by} at {row.hold_at}: {row.hold_why}"
    if row.hold == "stop":
        word, still = ("stopping", _still(run, "leaves")) if _lives(run) else ("stopped", "")
    else:
        is_at_work = _lives(run) and run is not None and run.phase != "paused"
        word, still = ("pausing", _still(run, "pauses")) if is_at_work else ("paused", "")
    return Axis("on hold", word, f"{word} {asked}{still}")


def _lives(run: ActiveRun | None) -> bool:
    return run is not None and run.is_alive


def _still(run: ActiveRun | None, does: str) -> str:
    """Return that a trainer has not obeyed yet, and what it will do."""
    pid = f" (pid {run.pid})" if run is not None and run.pid else ""
    return f"; its trainer{pid} still lives: it saves at its next update and {does}"


def _is_failing(item: Blocked, campaign: str) -> bool:
    """Does this say that the campaign is not well? A checkpoint that cannot be copied, or go, does not."""
    if item.code.startswith(FAILS):
        return item.subject == f"campaign/{campaign}"
    return item.code in _FAILING and _is_of(item.subject, campaign)


def _is_of(subject: str, campaign: str) -> bool:
    return subject == f"campaign/{campaign}" or subject.startswith(f"checkpoint/{campaign}@")


def _health_of_run(view: View, row: CampaignRow | None, run: ActiveRun | None) -> Axis:
    if run is None:
        return _health_at_rest(view, row)
    match run.phase:
        case "lost":
            return Axis(
                "degraded",
                "lost",
                "its trainer is gone and left no word: killed, or out of memory? See reconcile logs.",
            )
        case "silent":
            age = round(run.heartbeat_age_seconds or 0)
            return Axis(
                "degraded",
                "silent",
                f"its trainer lives (pid {run.pid}) and has said nothing for {age} s",
            )
        case "exited":
            return Axis("healthy", "ended", "its trainer has left; apply writes that down")
        case phase:
            quest = f" quest {run.quest_id}" if run.quest_id else ""
            return Axis("healthy", phase, f"{phase}{quest} at step {run.step or 0}")


def _health_at_rest(view: View, row: CampaignRow | None) -> Axis:
    if row is None:
        return Axis("unknown", "new", "apply has not made it yet")
    if row.status == "deleted":
        return Axis("healthy", "deleted", "it was deleted, as its spec said")
    if row.status == "archived":
        return Axis("healthy", "archived", f"it rests in the Hall of Legends since {row.archived_at}")
    runs = sorted(view.facts.runs_of(row.uid), key=lambda one: (one.launched_at, one.generation, one.attempt))
    last = runs[-1] if runs else None
    if last is None:
        return Axis("healthy", "idle", "it has not been launched yet")
    if last.end in _BAD_ENDS:
        return Axis(
            "degraded",
            last.end,
            f"its last run: {last.message or last.end}{SEE_LOGS if last.end == 'lost' else ''}",
        )
    return Axis(
        "healthy",
        "idle",
        f"its last run ended: {(last.end or 'ended').replace('_', ' ')}",
    )
