"""Which processes have a file below a folder open for writing, as far as this user may see."""

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.observed.processes import PROC


def writers_below(root: Path, proc: Path = PROC) -> tuple[str, ...]:
    """Return `name (pid)` of each process that writes below the folder."""
    inside = f"{os.path.realpath(root)}/"
    pids = sorted(int(name) for name in _names(proc) if name.isdecimal())
    return tuple(f"{_name(proc / str(pid))} (pid {pid})" for pid in pids if _writes(proc / str(pid), inside))


def _writes(process: Path, inside: str) -> bool:
    return any(
        target.startswith(inside) and _is_for_writing(process / "fdinfo" / number)
        for number, target in _open_files(process / "fd")
    )


def _open_files(folder: Path) -> Iterator[tuple[str, str]]:
    for number in _names(folder):
        try:
            yield number, str((folder / number).readlink())
        except OSError:
            continue  # closed meanwhile, or another user's


def _is_for_writing(info: Path) -> bool:
    """Return whether the flags of an open file, octal in proc(5), let it be written to."""
    try:
        lines = info.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.split()[1] for line in lines if line.startswith("flags:")), "0")
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names, not paths
    except OSError:
        return []


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
