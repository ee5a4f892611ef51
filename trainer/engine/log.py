"""The training log on standard output: one line a phase, for people."""

import sys
from typing import Any

from trainer.engine.clock import now_text


def say(event: str, **fields: Any) -> None:
    """Print one line: the time, a constant text, then values under constant names; None is left out."""
    values = "  ".join(f"{key}={_shown(value)}" for key, value in fields.items() if value is not None)
    sys.stdout.write(f"{now_text()}  {event:<14}  {values}".rstrip() + "\n")
    sys.stdout.flush()


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
