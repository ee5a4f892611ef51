"""What the ledger said of a checkpoint, from the checkpoint itself: its manifest and its sidecar."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.checkpoints.ledger_rows import ledger_row
from state.contract.manifest import SIDECAR_NAME
from state.formats import LEDGER_VERSION, decode_record, is_of_newer_software
from state.inside import InTheWay, read_file
from state.store.marks import with_marks
from state.store.rows import LedgerRow, Marks


def sidecar_of(folder: Path) -> Mapping[str, Any] | None:
    """Return what the ledger said of a checkpoint; None: it was not recorded, and the next apply does it."""
    try:
        said = decode_record(read_file(folder / SIDECAR_NAME))
    except (OSError, ValueError, InTheWay):
        return None
    return said if isinstance(said.get("sequence"), int) else None


def words_on_newer(found: FoundCheckpoint, sidecar: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people should know of a sidecar that says more than this software understands."""
    if is_of_newer_software(sidecar):
        version = str(sidecar["ledger_version"])[:40]
        yield (
            f"{found.path}/{SIDECAR_NAME}: ledger version {version} is newer than {LEDGER_VERSION}, which "
            "this software knows: what protects the checkpoint is not understood, so it is pinned; upgrade"
        )


def row_of_checkpoint(
    found: FoundCheckpoint, sidecar: Mapping[str, Any], *, path: str, sequence: int
) -> LedgerRow:
    """Return the ledger's row of a checkpoint that belongs to a path below the root, with its marks."""
    marks, row = marks_said(sidecar), ledger_row(found, path=path, sequence=sequence)
    return with_marks(row, marks) if marks != Marks() else row


def marks_said(record: Mapping[str, Any]) -> Marks:
    """Return what a record of the ledger says that people protected the checkpoint by."""
    tags, milestones = record.get("tags"), record.get("milestones")
    steps = [step for step in milestones if isinstance(step, int)] if isinstance(milestones, list) else []
    return Marks(
        pinned=record.get("pinned") is True or is_of_newer_software(record),
        tags=tuple(sorted(str(tag) for tag in tags)) if isinstance(tags, list) else (),
        milestones=tuple(sorted(steps)) or msgspec.UNSET,
    )
