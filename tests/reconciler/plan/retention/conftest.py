"""Builders for histories of checkpoints."""

import importlib.util
import sys
from pathlib import Path

import pytest

from reconciler.plan.retention.records import Record
from reconciler.plan.retention.retain import retain

sys.path.insert(0, str(Path(__file__).parent))  # import rules_alone


def record_of(step: int, sequence: int | None = None, **fields) -> Record:
    """Return a healthy checkpoint, saved a minute a step after the year began."""
    given = {
        "id": f"tiny/c@{step}", "sequence": step if sequence is None else sequence, "segment": 1, "step": step,
        "saved_at": f"2026-01-{1 + step // 1440:02}T{step // 60 % 24:02}:{step % 60:02}:00Z",
        "recorded_at_seconds": 0.0, "healthy": True, "metrics": {"val_loss": 1.0},
    }  # fmt: skip
    return Record(**(given | fields))


@pytest.fixture(scope="session")
def make():
    return record_of


@pytest.fixture(scope="session")
def kept():
    """Return the steps that stay."""

    def steps(records, rules, *args, **kwargs) -> list[int]:
        verdicts = retain(records, rules, *args, **kwargs)
        steps_of = {record.id: record.step for record in records}
        return [steps_of[verdict.id] for verdict in verdicts if verdict.decision == "keep"]

    return steps


@pytest.fixture(scope="session")
def reference():
    """Return the plain implementation beside this file."""
    path = Path(__file__).with_name("reference.py")
    spec = importlib.util.spec_from_file_location("retention_reference", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
