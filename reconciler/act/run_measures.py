"""What a run did and in what time, read from its metrics once it is over, beside what was to be expected."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from reconciler.plan.costs.pace import expected, runs_alike
from state.contract.memory_alike import memory_key_of
from state.contract.metrics import MetricsRecord
from state.inside import open_file
from state.store.rows import RunRow
from state.store.tables import select


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The work of one run."""

    num_updates: int
    num_tokens: int
    busy_seconds: float
    energy_joules: float | None = None
    """None where an update does not say it."""


def done_by(metrics: Path) -> Done | None:
    """Return what a run did; None where it wrote nothing, or nothing that can be read."""
    updates = tokens = 0
    busy, energy, told = 0.0, 0.0, 0
    try:
        for record in _records(metrics):
            if record.kind == "update":
                updates, tokens = updates + 1, tokens + (record.tokens or 0)
                energy, told = (
                    energy + (record.energy_joules or 0.0),
                    told + (record.energy_joules is not None),
                )
            if record.kind in ("update", "evaluation", "examination"):
                busy += record.seconds or 0.0
            busy += record.stall_seconds or 0.0
    except OSError:
        return None
    if not updates:
        return None
    taken = energy if told == updates else None
    return Done(num_updates=updates, num_tokens=tokens, busy_seconds=busy, energy_joules=taken)


def _is_told(record: MetricsRecord) -> bool:
    return record.energy_joules is not None


def _records(file: Path) -> Iterator[MetricsRecord]:
    decoder = msgspec.json.Decoder(MetricsRecord)
    with os.fdopen(open_file(file), "rb") as lines:
        for line in lines:
            try:
                yield decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue  # torn by a kill


def measured(store: apsw.Connection, row: RunRow, metrics: Path) -> dict[str, Any]:
    """Return the fields of a run's row that say what it did, and what plan expected before."""
    done = done_by(metrics)
    if done is None:
        return {}
    fields: dict[str, Any] = msgspec.structs.asdict(done)
    key = memory_key_of(row.config_json, row.device)
    alike = runs_alike(select(store, RunRow), key, before=row.launched_at) if key is not None else ()
    found = expected(alike, done.num_updates, done.num_tokens)
    if found is not None:
        fields["expected_seconds"] = found.seconds
        fields["expected_low_seconds"] = found.low_seconds
        fields["expected_high_seconds"] = found.high_seconds
    return fields
