"""Can be seen where a copy outside the root lies? A disk that is away says nothing of what is on it."""

import os
from pathlib import Path

from reconciler.observed.machine_records import CopyTarget


def observe_target(to: Path, root: Path) -> CopyTarget:
    """Return whether a folder outside the root takes copies, and how much room is left there."""
    problem = why_no_target(to, root)
    if problem is not None:
        return CopyTarget(problem=problem)
    try:
        return CopyTarget(free_bytes=free_bytes(to))
    except OSError as error:
        return CopyTarget(problem=f"{to}: {error.strerror}")


def why_no_target(to: Path, root: Path) -> str | None:
    """Return why no copy can be made in a folder, whatever its size; None: one can."""
    if not to.is_dir():
        return f"{to} is no folder: make it, or mount the disk that it is on"
    if to.resolve().is_relative_to(root.resolve()):
        return f"{to} lies in the realm's root {root}; a copy belongs outside of it"
    if not os.access(to, os.W_OK | os.X_OK):
        return f"{to} cannot be written to: it is read-only, or somebody else's"
    return None


def free_bytes(folder: Path) -> int:
    """Return what an ordinary user may still write there."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


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
