"""A script that lives on a small disk which nobody else sees: run it, and return what it saw."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import CHECKOUT


def on_a_small_disk(script: str, folder: Path, *more: str) -> dict[str, Any]:
    """Return the last line that a script beside this file printed, as JSON; it mounts the disk in the folder."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to mount a small disk with")
    command = ["unshare", "--user", "--map-root-user", "--mount", "--", sys.executable]
    done = subprocess.run(
        [*command, str(Path(__file__).with_name(script)), str(folder), *more],
        capture_output=True, text=True, check=False, cwd=CHECKOUT,
    )  # fmt: skip
    if "unshare:" in done.stderr or done.returncode == 99:
        pytest.skip(f"this machine lets nobody mount in a namespace of their own: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
