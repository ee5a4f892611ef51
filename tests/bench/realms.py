"""What the benchmarks share: a realm that `init` made, its commands, what a process takes."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

from machine import environment

RECONCILE = str(Path(sys.executable).parent / "reconcile")


class Realm:
    """A specs repository and its root below one folder, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.specs, self.root = folder / "specs-repository", folder / "root"
        self.environment = {**environment(), "REALM_ROOT": str(self.root), "HOME": str(folder)}
        self.environment.pop("XDG_CACHE_HOME", None)
        self.run("init", str(self.specs), cwd=folder)

    def run(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [RECONCILE, *arguments],
            cwd=cwd or self.specs,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def commit(self, file: str, pattern: str, replacement: str) -> None:
        """Edit one spec by a regular expression and commit it."""
        path = self.specs / "specs" / file
        changed = re.sub(pattern, replacement, path.read_text(), flags=re.MULTILINE)
        assert changed != path.read_text(), f"{pattern} is not in {file}"
        path.write_text(changed)
        identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
        subprocess.run(["git", *identity, "commit", "-qam", "bench"], cwd=self.specs, check=True)


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process (proc(5))."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
