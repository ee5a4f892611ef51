"""Retention of 100,000 checkpoints, pure: every rule at once, beside the rules written down plainly."""

import gc
import importlib.util
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import time_call

from reconciler.plan.retention.records import Record, Reference
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Best, Rules

NUM_CHECKPOINTS = 100_000
REFERENCE = Path(__file__).parents[1] / "reconciler" / "plan" / "retention" / "reference.py"
AS_SHIPPED = Rules(
    last=40,
    every_steps=10_000,
    best=(
        Best(metric="val_loss", direction="lower", count=3),
        Best(metric="accuracy/bin", direction="higher"),
    ),
    minimum_age_seconds=600,
)
EVERYTHING = Rules(
    last=40,
    every_steps=10_000,
    hourly=24,
    daily=30,
    weekly=8,
    monthly=-1,
    yearly=-1,
    within_seconds=259_200,
    best=AS_SHIPPED.best,
    tags=("release",),
    milestones=(5_000, 7_000),
    minimum_age_seconds=600,
)


def measure(_folder: Path) -> Iterator[str]:
    gc.disable()  # as the commands do
    records = history()
    now = NUM_CHECKPOINTS * 900.0
    references = [Reference(id=records[7].id, reason="a job")]
    for name, rules in (("as shipped", AS_SHIPPED), ("every rule", EVERYTHING)):
        ours = time_call(lambda rules=rules: retain(records, rules, [records[3].id], references, now))
        plain = time_call(lambda rules=rules: reference().kept_by_rules(records, rules))
        pace = f"{ours.cpu_seconds / ours.bare_cpu_seconds:.1f} x {ours.bare_cpu_seconds * 1000:.1f} ms, a bare start"
        yield (
            f"{name:<12} {ours.cpu_seconds * 1000:6.0f} ms with protections and reasons (goal: 250 ms; {pace})   "
            f"{ours.cpu_seconds / plain.cpu_seconds:.2f} x the plain rules alone"
        )


def history() -> list[Record]:
    """Return a ledger: a save every 15 minutes and 50 steps for three years, some of them unhealthy."""
    draw, began = random.Random(7), datetime(2020, 1, 1, tzinfo=UTC)
    return [
        Record(
            id=f"tiny/campaign-001@{number * 50}",
            sequence=number,
            segment=1,
            step=number * 50,
            saved_at=(began + timedelta(minutes=15 * number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            recorded_at_seconds=900.0 * number,
            healthy=number % 97 != 0,
            metrics={"val_loss": draw.random(), "accuracy/bin": draw.random() if number % 3 else None},
        )
        for number in range(1, NUM_CHECKPOINTS + 1)
    ]


def reference() -> object:
    """Return the plain implementation that the tests compare with."""
    spec = importlib.util.spec_from_file_location("retention_reference", REFERENCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
