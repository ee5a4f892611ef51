"""Can be seen where a copy outside the root lies? A disk that is away says nothing of what is on it."""

import os
from pathlib import Path


def why_unreachable(place: Path) -> str | None:
    """Return why nothing can be said of a copy; None: the folder of its campaign there can be looked into.

    A mount point without its disk is an empty folder, so a copy counts as missing only where the folder that
    holds it is there without it.
    """
    try:
        os.listdir(place.parent)  # noqa: PTH208 - what counts is whether it can be listed
    except FileNotFoundError:
        return f"{place.parent} is not there: is its disk mounted?"
    except OSError as error:
        return f"{place.parent}: {error.strerror}"
    return None
