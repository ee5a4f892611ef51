"""The training log on standard output: one line a phase, for people."""

import sys
from typing import Any

from trainer.engine.clock import now_text
from trainer.engine.full_disk import is_full


def say(event: str, **fields: Any) -> None:
    """Print one line: the time, a constant text, then values under constant names; None is left out."""
    values = "  ".join(f"{key}={_shown(value)}" for key, value in fields.items() if value is not None)
    put(f"{now_text()}  {event:<14}  {values}".rstrip() + "\n")


def put(text: str) -> None:
    """Print a text; the log may lie on the disk that is full: then it comes later, or not at all."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if not is_full(error):
            raise


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
