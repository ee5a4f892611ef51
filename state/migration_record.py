"""What a migration does to an older root, written down before it begins, so that it goes on or is undone."""

from typing import Literal

import msgspec

from state.contract.imported import Imported

MIGRATIONS = "control/migrations"
"""Below the root: a folder for each migration, by its number."""
RECORD, KEPT, UNDONE = "migration.json", "kept", "undone"
"""In it: the record, originals of files that are written anew, and what an undo put aside."""


class Keep(msgspec.Struct, frozen=True, kw_only=True, tag="keep"):
    """Keep the original of a file or link that will be written anew."""

    path: str


class Move(msgspec.Struct, frozen=True, kw_only=True, tag="move"):
    """Give a file or folder another name on the same file system."""

    source: str
    target: str


class Link(msgspec.Struct, frozen=True, kw_only=True, tag="link"):
    """Leave a link where older tools look."""

    path: str
    target: str
    """As the link says it."""


class TakeIn(msgspec.Struct, frozen=True, kw_only=True, tag="take in"):
    """Hash a checkpoint where it lies now, and write a manifest beside its files."""

    folder: str
    campaign: str
    campaign_uid: str
    step: int
    saved_at: str
    train_loss: float | None
    val_loss: float | None
    learning_rate: float | None
    imported: Imported
    files: tuple[str, ...]


Step = Keep | Move | Link | TakeIn


class MigrationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One migration; paths are below the root."""

    schema_version: int = 1
    state: Literal["applying", "recording", "applied", "undoing", "undone"]
    """applying: its steps are done; recording: they are, and the store learns of it."""
    realm: str
    specs: str
    """The folder of the specs repository that it made."""
    active: str | None
    campaigns: tuple[str, ...]
    steps: tuple[Step, ...]
    derived: tuple[str, ...] = ()
    """What this software writes of its own there, originals apart: put aside by an undo."""
    modes: dict[str, int] = {}
    """Permissions of the files that a manifest freezes, as they were."""
    made: tuple[str, ...] = ()
    """Folders that were not there before."""


def came_from(path: str, steps: tuple[Step, ...]) -> str:
    """Return where something lay before the moves."""
    for step in reversed(steps):
        if isinstance(step, Move) and (path == step.target or path.startswith(f"{step.target}/")):
            path = step.source + path[len(step.target) :]
    return path
