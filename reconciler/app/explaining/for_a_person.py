"""What only a person can lift: `wait` does not wait for that."""

from collections.abc import Iterable

from reconciler.app.explaining.in_the_way import in_the_way
from reconciler.app.looking.status import CampaignStatus
from reconciler.app.planning.look import View
from reconciler.plan.ahead.in_thought import NOT_ACTIVE
from reconciler.plan.changes import NAMES_IN_DOUBT, Blocked

_WORDS = ("suspended", "held")
"""Codes of what people said: a trainer that is at work obeys them, whatever it was about to reach."""
_MAY_PASS = frozenset(
    {
        NOT_ACTIVE,  # its turn comes with another's end, as that of what `waits`
        *("still-training", "quest-unseen", "trainer-silent", "trainer-waits", "unreachable", "disk-low"),
        *("source-unreachable", "source-no-space"),
    }
)
"""Codes of what may end without a person: with what goes on, with what is deleted in time, by a next look."""


def needs_a_person(item: Blocked) -> bool:
    """Does nothing but a person lift this, neither time nor what goes on?"""
    return not (item.is_waiting or item.until is not None or item.code in _MAY_PASS)


def before_training(view: View, one: CampaignStatus, *, is_at_work: bool) -> Blocked | None:
    """Return what a person has to lift before a campaign learns more; None: nothing.

    While its trainer is at work that is only what people said: it obeys that.
    """
    found = [*_of_the_root(view), *in_the_way(view, "run", one.name)]
    found = [item for item in found if not item.subject.startswith("quest/")]
    return _first(found, is_at_work=is_at_work)


def before_a_quest(view: View, name: str, campaigns: Iterable[CampaignStatus]) -> Blocked | None:
    """Return what a person has to lift before a quest is trained; None: nothing."""
    is_at_work = any(is_at_work_now(one) and one.run and one.run.quest_id == name for one in campaigns)
    found = (
        item for item in in_the_way(view, "quest", name) if item.code not in _trained_all_the_same(view, name)
    )
    return _first([*_of_the_root(view), *found], is_at_work=is_at_work)


def _trained_all_the_same(view: View, name: str) -> set[str]:
    """Return the codes of what is wrong with a quest's source, where it is trained as it was queued."""
    trained = ("queued", "processing", "completed")  # one that is completed wakes up for further epochs
    queued = [job for job in view.facts.jobs_of_quest(name) if job.status in trained]
    is_here = any(view.facts.quest_data(job.source_key) is not None for job in queued)
    return {*(("quest-changed",) if queued else ()), *(("quest-file", "quest-sha256") if is_here else ())}


def before_all_is_applied(view: View, campaigns: Iterable[CampaignStatus]) -> Blocked | None:
    """Return what a person has to lift before nothing is left to do at the newest commit; None: nothing.

    What is blocked is not left to do; but apply notes no commit of which it does not know all names.
    """
    doubts = [item for item in view.plan.in_the_way if item.code in NAMES_IN_DOUBT]
    if not is_followed(view):
        doubts += [item for item in view.plan.in_the_way if item.subject == "source"]
    return _first(doubts, is_at_work=False) or before_all_rests(view, campaigns)


def before_all_rests(view: View, campaigns: Iterable[CampaignStatus]) -> Blocked | None:
    """Return what a person has to lift before nothing is to do and no trainer lives; None: nothing.

    A trainer that is paused lives on, with its model loaded.
    """
    paused = [one.name for one in campaigns if one.run is not None and one.run.is_alive and one.hold]
    holds = [item for name in paused for item in in_the_way(view, "run", name) if item.code == "held"]
    return _first([*_of_the_root(view), *holds], is_at_work=False)


def is_followed(view: View) -> bool:
    """Is it known what the newest commit of the branch is, and does apply go by it?

    A branch here that was moved back is followed all the same.
    """
    source = view.facts.source
    return source is None or source.trouble is None or (source.is_local and source.offered is not None)


def _of_the_root(view: View) -> list[Blocked]:
    """Return why apply leaves the whole root alone, or cannot go where everything lies."""
    return [item for item in view.plan.in_the_way if item.subject == "root" and item.cause != "trash"]


def _first(found: Iterable[Blocked], *, is_at_work: bool) -> Blocked | None:
    lasting = (item for item in found if needs_a_person(item) and (not is_at_work or item.code in _WORDS))
    return next(lasting, None)


def is_at_work_now(one: CampaignStatus) -> bool:
    """Does a trainer of the campaign live, and is it not paused?"""
    return one.run is not None and one.run.is_alive and one.run.phase != "paused"
