"""What `python -m trainer replay` is asked and answers: checkpoints made again from their parents."""

from typing import Literal

import msgspec

from state.contract.manifest import Manifest
from state.contract.request import RunRequest

ANSWER_NAME = "answer.json"


class Lap(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint to make again, from the one before it."""

    request: RunRequest
    """As its run was launched, but for the places; it resumes from the parent, which lies in its
    `checkpoints_dir` or is the lap before."""
    manifest: Manifest
    """Of the checkpoint; its cursor is empty where only the store has kept it."""
    original: str | None
    """Folder of the checkpoint itself; None: its weights are gone."""


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    trainer_lock: str
    """Held meanwhile: never beside a run."""
    folder: str
    """Where to work; the checkpoints come into its `checkpoints/`."""
    data: dict[str, str]
    """Digest of a quest's content → its file."""
    laps: tuple[Lap, ...]
    """Oldest first; the last one is the checkpoint that was asked for."""


class FileDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One file that came out otherwise."""

    path: str
    found: str
    """What is different: the first tensor and by how much, or the digests."""


class ReplayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    verdict: Literal["same", "differs", "cannot"]
    step: int
    """Of the checkpoint that the verdict is about: the first one that differs, else the last one."""
    digest: str | None = None
    """Of what was made; None: nothing was."""
    why: str | None = None
    """Of `cannot`: one sentence for people."""
    differences: tuple[FileDifference, ...] = ()
    notes: tuple[str, ...] = ()
    """What is not as it was when it was made first."""
