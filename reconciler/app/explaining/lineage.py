"""Where the rows of a quest come from, as the sidecar of its content says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.app.planning.look import View, world_of
from reconciler.desired.queue import Quest
from reconciler.plan.queue.quest_sources import NoSource, quest_source
from state.amounts import count, size
from state.contract.lineage import SUFFIX, Lineage

_MOST_BYTES = 1 << 20


def lineage_of(view: View, quest: Quest) -> Lineage | None:
    """Return who made the rows of a quest; None where no sidecar that can be read says so."""
    read = (_read(place) for place in _places(view, quest))
    return next((found for found in read if isinstance(found, Lineage)), None)


def lineage_problems(view: View, quest: Quest) -> Iterator[str]:
    """Yield what is wrong with a quest's sidecar: it cannot be read, or is about other rows."""
    for place in _places(view, quest):
        found = _read(place)
        if isinstance(found, str):
            yield f"{place}: {found}; who made these rows is not known from it"
        elif found is not None and (why := _misfit(view, quest, found)) is not None:
            yield f"{place}: {why}; it is about other rows"


def _read(place: Path) -> Lineage | str | None:
    """Return what a sidecar says, or why it cannot be read; None where there is none."""
    if not os.path.lexists(place):
        return None
    content = _small_file(place)
    if content is None:
        return f"no plain file of at most {size(_MOST_BYTES)} that can be read"
    try:
        return msgspec.json.decode(content, type=Lineage)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"not a record of where rows come from ({error})"


def _misfit(view: View, quest: Quest, found: Lineage) -> str | None:
    """Return that a person's file has another number of rows than its sidecar says, if it has."""
    seen = view.facts.quest_files.get(quest.id)
    if quest.file is None or seen is None or seen.content is None or seen.start_byte:
        return None
    said, has = found.example_count, seen.content.num_rows + seen.content.num_left_out
    if said is None or said == has:
        return None
    return f"example_count says {count(said, 'row')}, the file has {has:,}"


def _places(view: View, quest: Quest) -> Iterator[Path]:
    """Yield where the sidecar may lie: beside the person's file, or beside the content that a skill made."""
    seen = view.facts.quest_files.get(quest.id)
    if seen is not None and seen.path is not None:
        yield Path(seen.path + SUFFIX)
    if quest.skill is not None:
        source = quest_source(world_of(view), quest)
        row = None if isinstance(source, NoSource) else view.facts.quest_data(source.key)
        if row is not None:
            yield view.layout.lineage(row.digest)


def _small_file(path: Path) -> bytes | None:
    """Return the content of a plain file of at most a mebibyte; no link is followed, no pipe waited for."""
    try:
        with os.fdopen(
            os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb"
        ) as file:
            status = os.fstat(file.fileno())
            is_small = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES
            return file.read() if is_small else None
    except OSError:
        return None
