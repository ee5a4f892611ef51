"""Where the rows of a quest come from, as the sidecar of its content says."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.app.planning.look import View, world_of
from reconciler.desired.queue import Quest
from reconciler.observed.lineage import read_sidecar, unreadable_text
from reconciler.plan.queue.quest_sources import NoSource, quest_source
from state.contract.lineage import SUFFIX, Lineage


def lineage_of(view: View, quest: Quest) -> Lineage | None:
    """Return who made the rows of a quest; None where no sidecar that can be read says so."""
    read = (read_sidecar(place) for place in _places(view, quest))
    return next((found for found in read if isinstance(found, Lineage)), None)


def lineage_problems(view: View, quest: Quest) -> Iterator[str]:
    """Yield what is wrong with a quest's sidecar: it cannot be read, or is about other rows."""
    seen = view.facts.quest_files.get(quest.id)
    if seen is not None and seen.lineage_problem is not None:
        yield seen.lineage_problem
    for place in _made(view, quest):
        if isinstance(found := read_sidecar(place), str):
            yield unreadable_text(place, found)


def _places(view: View, quest: Quest) -> Iterator[Path]:
    """Yield where the sidecar may lie: beside the person's file, or beside the content that a skill made."""
    seen = view.facts.quest_files.get(quest.id)
    if seen is not None and seen.path is not None:
        yield Path(seen.path + SUFFIX)
    yield from _made(view, quest)


def _made(view: View, quest: Quest) -> Iterator[Path]:
    if quest.skill is not None:
        source = quest_source(world_of(view), quest)
        row = None if isinstance(source, NoSource) else view.facts.quest_data(source.key)
        if row is not None:
            yield view.layout.lineage(row.digest)
