"""What lies in a place outside the root where copies are made, in `<hero>/<campaign>/`. Reads only.

Sizes and manifests are looked at, as of the folders of the root; the contents are not read.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.folders import printable, reason
from reconciler.observed.records import ForeignFolder, FoundCheckpoint
from state.ids import SEGMENTS, checkpoint_step


class FoundCopy(NamedTuple):
    folder_name: str
    """`<hero>/<campaign>`, as the folders are called."""
    found: FoundCheckpoint | ForeignFolder


def why_unseen(place: Path) -> str | None:
    """Return why a place cannot be looked into; None: it can, and something lies there."""
    try:
        is_empty = not os.listdir(place)  # noqa: PTH208 - what counts is whether it can be listed
    except FileNotFoundError:
        return f"{place} is not there: is its disk mounted?"
    except OSError as error:
        return f"{place}: {reason(error)}"
    return f"{place} is empty: is its disk mounted?" if is_empty else None


def is_empty(place: Path) -> bool:
    """Can a place be looked into, and nothing lies there? A mount point without its disk is such a folder."""
    return place.is_dir() and why_unseen(place) == f"{place} is empty: is its disk mounted?"


def copies_in(place: Path, problems: list[str]) -> Iterator[FoundCopy]:
    """Yield each checkpoint below a place; what cannot be looked into is named in `problems`."""
    for hero in _folders(place, problems):
        for campaign in _folders(hero, problems):
            segments = campaign / SEGMENTS
            for folder in (campaign, *(_folders(segments, problems) if segments.is_dir() else ())):
                for found in _checkpoints(folder, place, problems):
                    yield FoundCopy(f"{hero.name}/{campaign.name}", found)


def _checkpoints(folder: Path, place: Path, problems: list[str]) -> Iterator[FoundCheckpoint | ForeignFolder]:
    """Yield what has the name of a checkpoint; people may keep anything else there."""
    if not any(checkpoint_step(one.name) is not None for one in _folders(folder, problems)):
        return
    seen = observe_checkpoints(folder, place)
    problems += [seen.problem] if seen.problem else []
    yield from seen.complete
    yield from (one for one in seen.foreign if checkpoint_step(one.name) is not None)


def _folders(folder: Path, problems: list[str]) -> list[Path]:
    """Return the folders in a folder, sorted; no link is followed."""
    try:
        with os.scandir(folder) as entries:
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError as error:
        problems.append(f"{printable(str(folder))}: {reason(error)}")
        return []
    return [folder / name for name in sorted(names)]
