"""`events` where nothing is told: is there such a thing at all, and why is nothing told of it?"""

from collections.abc import Iterator
from pathlib import Path

from reconciler.app.looking.events import numbers_about
from reconciler.app.looking.things import found, meant, named
from reconciler.app.planning.in_force import layout_of, look_in_force
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.ground import named_now, not_found, store_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.git_process import SourceError
from reconciler.desired.mistakes import SpecMistakesError
from state.store.rows import StoreView


def check_there_is(environment: Environment, options: Options, store: Path, about: str) -> None:
    """Return if anything was ever begun with it, or the realm or its specs know it.

    Raises:
        NotFound: there is no such thing; names those that the realm knows.
    """
    if numbers_about(store, about):
        return
    remembered = store_of(layout_of(environment, options))
    known = set(_remembered(remembered))
    if {about, named_now(remembered.campaigns, about.removeprefix("campaign/"))} & known:
        return
    try:
        view = look_in_force(environment, options)
        found(view, *(named(about) or meant(view, about)))
    except (Misused, SourceError, SpecMistakesError):
        raise not_found("thing", about, known) from None


def _remembered(store: StoreView) -> Iterator[str]:
    """Yield what most is told about: each campaign, and each quest that has a job."""
    yield from (row.name for row in store.campaigns)
    yield from (f"quest/{job.quest_id}" for job in store.jobs)


def why_silent(store: Path, about: str | None, since: int, last: int | None) -> str:
    """Return why nothing is told, in a sentence."""
    numbers, whose = numbers_about(store, about), f" about {about}" if about else ""
    if not numbers:
        return f"There is no event{whose} yet: what apply does or tries is told here."
    if last == 0:
        return f"0 of {len(numbers):,} events{whose} were asked for."
    return f"There is no event{whose} after number {since}; the newest is number {numbers[-1]}."
