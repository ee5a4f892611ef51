"""Retention of 100,000 checkpoints: pure, beside the rules written down plainly, and read from the store first."""

import gc
import importlib.util
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from machine import Cost, time_call

from reconciler.plan.keeping import kept
from reconciler.plan.retention.records import Record, Reference
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Best, Rules
from state.contract.examination import LevelResult
from state.examinations import versions_now
from state.store.connection import open_reader, open_writer
from state.store.rows import LedgerRow
from state.store.tables import put, select

NUM_CHECKPOINTS, SECONDS_APART = 100_000, 900.0
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


def measure(folder: Path) -> Iterator[str]:
    gc.disable()  # as the commands do
    records = history()
    now = NUM_CHECKPOINTS * SECONDS_APART
    references = [Reference(id=records[7].id, reason="a job")]
    for name, rules in (("as shipped", AS_SHIPPED), ("every rule", EVERYTHING)):
        ours = time_call(lambda rules=rules: retain(records, rules, [records[3].id], references, now))
        plain = time_call(lambda rules=rules: reference().kept_by_rules(records, rules))
        yield (
            f"{name:<12} {ours.cpu_seconds * 1000:6.0f} ms with protections and reasons (goal: 250 ms; {pace_of(ours)})   "
            f"{ours.cpu_seconds / plain.cpu_seconds:.2f} x the plain rules alone"
        )
    for name, with_exams in (("the ledger", False), ("the ledger and its examinations", True)):
        store = folder / f"{with_exams}.db"
        write_ledger(store, records, with_exams=with_exams)
        loaded = time_call(lambda store=store: retain(load(store), EVERYTHING, [], (), now))
        yield f"every rule   {loaded.cpu_seconds * 1000:6.0f} ms with loading {name} (goal: 750 ms; {pace_of(loaded)})"


def pace_of(cost: Cost) -> str:
    return f"{cost.cpu_seconds / cost.bare_cpu_seconds:.1f} x {cost.bare_cpu_seconds * 1000:.1f} ms, a bare start"


def write_ledger(path: Path, records: list[Record], *, with_exams: bool) -> None:
    """Write a store whose ledger has these checkpoints."""
    store = open_writer(path)
    store.execute("BEGIN")
    put(store, (ledger_row(one, with_exam=with_exams) for one in records))
    store.execute("COMMIT")
    store.close()


def ledger_row(one: Record, *, with_exam: bool) -> LedgerRow:
    exam, share = "", one.metrics["accuracy/bin"]
    if with_exam and share is not None:
        result = LevelResult(
            skill="bin",
            level=1,
            correct=round(100 * share),
            total=100,
            version="sha256:1",
            pass_threshold=0.9,
            over=3,
        )
        exam = msgspec.json.encode((result,)).decode()
    return LedgerRow(
        campaign_uid="u", segment=1, step=one.step, sequence=one.sequence, timestamp=one.saved_at,
        path=f"campaigns/tiny/campaign-001/checkpoints/checkpoint-{one.step}", canonical_name=f"{one.step}",
        train_loss=1.0, val_loss=one.metrics["val_loss"], learning_rate=1e-3, training_file="sums",
        total_examples_trained=one.step * 32, size_bytes=64, has_optimizer=True, healthy=one.healthy,
        digest=f"sha256:{one.step:064x}", parent_step=None, generation=1, attempt=1, config_hash="sha256:1",
        code_version="1", specs_commit="c" * 40, recorded_at_seconds=one.recorded_at_seconds,
        skills_json=exam,
    )  # fmt: skip


def load(path: Path) -> list[Record]:
    """Return the ledger as the planner reads it; what lies on the disk is asked elsewhere."""
    with open_reader(path) as store:
        ledger = select(store, LedgerRow, "ORDER BY sequence")
    examined_in = versions_now(ledger)
    return [
        kept._record(one, examined_in, id=one.which, gone=False, complete=True, tags=(), segment=one.segment)
        for one in ledger
    ]


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
            recorded_at_seconds=SECONDS_APART * number,
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
