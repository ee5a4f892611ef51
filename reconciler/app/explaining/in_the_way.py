"""What keeps a thing from happening: the smallest set of things that have to be mended, all of it at once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from reconciler.app.planning.look import View, world_of
from reconciler.desired.queue import Quest
from reconciler.plan.ahead.in_thought import NOT_ACTIVE, Lifted, blocked_in, is_its_goal, lifted
from reconciler.plan.changes import FAILS, HERO_BLOCKED, WAITS, Blocked
from reconciler.plan.queue.quest_sources import NoSource, quest_source
from reconciler.plan.queue.waiting import who_may_train
from reconciler.plan.suspensions import WHOLE, suspended_hero
from state.ids import is_campaign_name

Obstacles = tuple[Blocked, ...]
_MOST_PLANNED = 8
"""Of so many campaigns that could train a quest, those with the least known against them, a plan is asked."""
_NEEDS_APPROVAL = "needs-approval"
_HOLDS_NO_TRAINING = frozenset(
    {
        _NEEDS_APPROVAL,
        "copy-failed",
        "deletion-on-hold",
        "export-no-room",
        "not-ours-in-the-trash",
        "protected-in-the-trash",
        "replaced-in-the-trash",
        "retention-failed",
        "retention-on-hold",
        "trash-unreadable",
        *(f"{FAILS}-{verb}" for verb in ("archive", "copy", "demote", "drop", "export", "purge")),
        *(f"{FAILS}-{verb}" for verb in ("answer", "forget", "write")),
    }
)
"""The codes of what keeps checkpoints from going or being copied, files from being written anew: training
goes on all the same."""
_OF_ALL_ITS_CHECKPOINTS = _HOLDS_NO_TRAINING - {_NEEDS_APPROVAL} | {
    "checkpoints-unreadable",
    "not-brought-back",
}
"""The codes that, said of a campaign, are in the way of each of its checkpoints."""


def in_the_way(view: View, kind: str, name: str) -> Obstacles:
    """Return the smallest set of things that keep a thing from happening, nearest first.

    Of a campaign that is not active, or suspended, or held, they are all that is in its way, not only what a
    plan meets first. Of a quest that several campaigns may train they are those of the one that has the
    fewest.
    """
    if kind == "realm":
        return view.plan.blocked
    if kind in ("campaign", "run"):
        found = _of_campaign(view, "/".join(name.split("/")[:2]))
        return found if kind == "campaign" else tuple(filter(_holds_training, found))
    if kind == "quest":
        return _of_quest(view, next(one for one in view.quests if one.id == name))
    if kind == "checkpoint":
        return _of_checkpoint(view, name)
    subjects = [f"{kind}/{name}" if name else kind, *_waits_for(view, kind, name)]
    suspended = suspended_hero(world_of(view), name) if kind == "hero" else None
    words = (suspended,) if suspended is not None else ()
    return _smallest([*words, *_about(subjects, filter(_counts, view.plan.blocked))])


def _of_campaign(view: View, campaign: str) -> Obstacles:
    found = lifted(world_of(view), campaign)
    jobs = (one for one in view.facts.store.jobs if one.status not in ("completed", "skipped"))
    quests = [f"quest/{one.quest_id}" for one in jobs if f"{one.hero_id}/{one.campaign_id}" == campaign]
    subjects = [*_of_its_launch(campaign), *quests]
    return _smallest([*found.words, *_about(subjects, _blocked(view, campaign, found))])


def _of_checkpoint(view: View, name: str) -> Obstacles:
    """Return what keeps a checkpoint from going, coming back or being copied; none of training."""
    subject, campaign = f"checkpoint/{name}", f"campaign/{name.partition('@')[0]}"
    awaiting = view.plan.awaiting
    waits = awaiting is not None and any(change.subject == subject for change in awaiting.changes)
    codes = _OF_ALL_ITS_CHECKPOINTS | ({_NEEDS_APPROVAL} if waits else set())
    of_campaign = (one for one in view.plan.blocked if one.subject == campaign and one.code in codes)
    return _smallest([*(one for one in view.plan.blocked if one.subject == subject), *of_campaign])


def _of_its_launch(campaign: str) -> tuple[str, ...]:
    return f"campaign/{campaign}", f"hero/{campaign.partition('/')[0]}"


def _blocked(view: View, campaign: str, found: Lifted) -> Sequence[Blocked]:
    """Return what a plan names once the words against a campaign are lifted."""
    has_goal = any(is_its_goal(one, campaign) for one in view.plan.blocked)
    return blocked_in(found.world, campaign) if found.words or has_goal else view.plan.blocked


def _of_quest(view: View, quest: Quest) -> Obstacles:
    """Return what is in the way of the campaign that could train it and has the least in its way."""
    subject = f"quest/{quest.id}"
    waits = [one for one in view.plan.blocked if one.subject == subject and one.code == WAITS]
    best = _least(view, quest)
    if best is None:
        whole = (one for one in view.plan.blocked if one.subject in WHOLE and one.code == "suspended")
        return _smallest([*whole, *_about([subject], view.plan.blocked)])
    return _smallest([*(_with_way_out(one, best) for one in waits), *_without_turn(best, waits)])


def _least(view: View, quest: Quest) -> Obstacles | None:
    """Return what is in the way of a quest where that is least; None: no campaign could train it.

    A campaign is planned for only if less than the least so far is known to be in its way; each time that is
    the plan of a whole realm, so at most `_MOST_PLANNED` times.
    """
    world, best = world_of(view), None
    choices = [(name, lifted(world, name)) for name in who_may_train(world, quest)]
    shared = _shared(view, quest)
    choices.sort(key=lambda choice: len(choice[1].words) + shared(choice[0]))
    for name, found in choices[:_MOST_PLANNED]:
        if best is not None and len(found.words) + shared(name) >= len(best):
            break  # it cannot have fewer
        blocked = filter(_holds_training, _blocked(view, name, found))
        one = _smallest([*found.words, *_about([f"quest/{quest.id}", *_of_its_launch(name)], blocked)])
        best = one if best is None or len(one) < len(best) else best
    return best


def _shared(view: View, quest: Quest) -> Callable[[str], int]:
    """Return how much is in the way of a campaign that is known without a plan: its hero's, the quest's own.

    Where the rows of a quest cannot be had is so for each campaign that has no job of it yet.
    """
    world = world_of(view)
    of_heroes = Counter(one.subject for one in view.plan.blocked if one.subject.startswith("hero/"))
    is_unsourced = isinstance(quest_source(world, quest), NoSource)
    begun = {world.name(job.campaign_uid) for job in view.facts.jobs_of_quest(quest.id)}

    def count(campaign: str) -> int:
        own = is_unsourced and campaign not in begun
        return own + of_heroes[f"hero/{campaign.partition('/')[0]}"]

    return count


def _with_way_out(waits: Blocked, others: Obstacles) -> Blocked:
    """Return what waits for its campaign to be active, with the line that makes the easiest one active."""
    ways = [one.hint for one in others if one.code == NOT_ACTIVE]
    return msgspec.structs.replace(waits, hint=ways[0]) if ways else waits


def _without_turn(others: Obstacles, waits: Sequence[Blocked]) -> Iterator[Blocked]:
    """Yield what is in the way besides, where it is said already that the campaign is not active."""
    yield from (one for one in others if not (waits and one.code in (NOT_ACTIVE, WAITS)))


def _smallest(found: Iterable[Blocked]) -> Obstacles:
    """Return each thing once, and what only points to another one of them not at all."""
    unique: dict[tuple[str, str], Blocked] = {}
    for item in found:
        unique.setdefault((item.code, item.message), item)
    is_hero_told = any(one.subject.startswith("hero/") for one in unique.values())
    return tuple(one for one in unique.values() if not (is_hero_told and one.code == HERO_BLOCKED))


def _about(subjects: Iterable[str], blocked: Iterable[Blocked]) -> list[Blocked]:
    """Return what is blocked about these things, in their order."""
    told = list(blocked)
    return [item for subject in dict.fromkeys(subjects) for item in told if _concerns(item.subject, subject)]


def _counts(item: Blocked) -> bool:
    """Does it keep other things waiting? What has its turn later in a campaign, as a release, does not."""
    return item.is_tried_again or not (item.is_waiting and item.subject.startswith("campaign/"))


def _holds_training(item: Blocked) -> bool:
    is_of_the_trash = item.code == "suspended" and item.subject.startswith("checkpoint/")
    return _counts(item) and item.code not in _HOLDS_NO_TRAINING and not is_of_the_trash


def _concerns(subject: str, thing: str) -> bool:
    """Is a blocker with this subject about the thing? Those of its checkpoints and runs are a campaign's."""
    if subject == thing:
        return True
    if thing == "queue":
        return subject.startswith("quest/")
    name = thing.removeprefix("campaign/")
    return is_campaign_name(name) and subject.startswith((f"checkpoint/{name}@", f"run/{name}"))


def _waits_for(view: View, kind: str, name: str) -> Iterator[str]:
    """Yield the things without which this one does not happen."""
    if kind == "dataset":
        yield from (f"quest/{quest.id}" for quest in view.quests if quest.dataset == name)
