"""Can be seen where a copy outside the root lies? A disk that is away says nothing of what is on it."""

import os
from pathlib import Path


def why_unreachable(place: Path) -> str | None:
    """Return why nothing can be said of a copy; None: one of the two folders above it can be looked into.

    A mount point without its disk is an empty folder, so a copy counts as missing only where one of the two
    folders that were made for it is there without it.
    """
    problems = [problem for folder in (place.parent, place.parent.parent) if (problem := _problem(folder))]
    return problems[0] if len(problems) > 1 else None


def _problem(folder: Path) -> str | None:
    try:
        os.listdir(folder)  # noqa: PTH208 - what counts is whether it can be listed
    except FileNotFoundError:
        return f"{folder} is not there: is its disk mounted?"
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return None
