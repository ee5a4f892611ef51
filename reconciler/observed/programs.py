"""Can the program of a skill's command be started here? Found out without running it."""

import os
from pathlib import Path


def why_not_startable(program: str, folder: Path, search_path: str) -> str | None:
    """Return why a program cannot be started from a folder, or None when it can.

    A name without a slash is looked for in `search_path` (folders with colons between them); `python` is the
    interpreter that runs here and always there.
    """
    if program == "python":
        return None
    if "/" in program:
        return _why_not(folder / program, program)
    for one in search_path.split(os.pathsep):
        if one and _why_not(folder / one / program, program) is None:
            return None
    return f"there is no program {program} in PATH"


def _why_not(file: Path, program: str) -> str | None:
    if not file.exists():
        return f"there is no program {program}" + (
            "" if file.is_absolute() and str(file) == program else f" ({file})"
        )
    if not file.is_file() or not os.access(file, os.X_OK):
        return f"{program} is not executable"
    return None
