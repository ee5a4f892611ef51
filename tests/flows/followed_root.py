"""A root that follows a repository elsewhere, as tests ask it."""

import json
import time
from collections.abc import Callable
from typing import Any

from click.testing import Result

Run = Callable[..., Result]
"""Calls the command about that root."""
REALM = "id: lab\n"
"""The specs there: a realm in which nothing trains."""
PATIENCE_SECONDS = 120.0


def status(run: Run) -> dict[str, Any]:
    result = run("status", "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
