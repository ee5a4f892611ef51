"""`manifest.json`: what a checkpoint consists of and where it comes from. Written last, so its presence with
matching files is the test of completeness."""

import msgspec
from blake3 import blake3

from state.canonical import canonical_json
from state.contract.adapters import AdapterBase
from state.contract.examination import LevelResult
from state.contract.imported import Imported
from state.contract.locked import Locked
from state.contract.numbers import Count
from state.contract.recipe import Recipe
from state.contract.request import CodeVersion

MANIFEST_NAME = "manifest.json"
SIDECAR_NAME = ".ledger.json"
"""Derived from the ledger; the one file that a manifest does not cover."""
_CAME_LATER = ("locked", "origin", "recipe", "skills", "imported", "adapter_base", "skipped", "demoted_from")


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    size_bytes: Count
    blake3: str


class QuestCursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a campaign has come in one quest."""

    quest_id: str
    digest: str
    epochs_done: Count
    rows_taken: Count
    """Training rows taken of the epoch that has begun."""
    complete: bool
    """All epochs that were ordered when it was saved are done."""
    first_step: Count
    last_step: Count
    """Updates that trained the first and the last row so far."""
    last_loss: float | None


class LearntRange(msgspec.Struct, frozen=True, kw_only=True):
    """Rows learnt since the parent checkpoint: positions [start, stop) in the epoch's order."""

    quest_id: str
    digest: str
    epoch: Count
    start: Count
    stop: Count


class SkippedRange(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were taken and not learnt: the loss guard left their update out."""

    update: Count
    """Its number; it changed nothing."""
    quest_id: str
    digest: str
    epoch: Count
    start: Count
    stop: Count
    """Positions [start, stop) in the epoch's order."""
    loss: float
    """Of the update, in nats per trained token."""


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured at the save; None was not measured or is not finite."""

    train_loss: float | None
    val_loss: float | None
    learning_rate: float | None
    examples_seen: Count
    tokens_seen: Count
    """Since the campaign began."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint of another campaign that this one has its files from."""

    campaign_uid: str
    campaign: str
    segment: Count
    step: Count
    digest: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    campaign_uid: str
    campaign: str
    segment: Count
    step: Count
    parent_step: Count | None
    parent_digest: str | None
    """The checkpoint that this one was trained from; None at the beginning."""
    created_at: str
    generation: Count
    attempt: Count
    config_hash: str
    """Of the config that was in force at the save: a live change is in it, whatever the launch began with."""
    code_version: CodeVersion
    specs_commit: str
    locked: Locked | None = None
    """What the weights belong to; None in a manifest of an older version."""
    optimizer: str
    healthy: bool
    """All losses since the parent were finite."""
    quest_id: str | None
    """The quest that was trained last."""
    cursor: tuple[QuestCursor, ...]
    learnt: tuple[LearntRange, ...]
    measures: Measures
    files: tuple[FileEntry, ...]
    origin: Origin | None = None
    """Where the campaign began, in the checkpoint that was taken over; generation and attempt are 0 then."""
    skills: tuple[LevelResult, ...] | None = None
    """What examinations of its weights came to; None: there was none."""
    recipe: Recipe | None = None
    """How it was made from its parent; None of one that was taken over, or of an older version."""
    imported: Imported | None = None
    """Who saved it, where it was taken in from elsewhere; generation and attempt are 0 then."""
    adapter_base: AdapterBase | None = None
    """The frozen weights that its adapters belong to; None: it holds every weight itself."""
    skipped: tuple[SkippedRange, ...] = ()
    """Since the parent."""
    demoted_from: str | None = None
    """Of one that keeps its weights only: the digest that it had with the optimizer's state."""
    digest: str
    """BLAKE3 of the canonical JSON of everything above: the checkpoint's identity."""

    @property
    def is_start(self) -> bool:
        """Did the campaign begin with it, saved by somebody else?"""
        return self.origin is not None or self.imported is not None


def with_digest(manifest: Manifest) -> Manifest:
    """Return the manifest with its own digest filled in."""
    return msgspec.structs.replace(manifest, digest=manifest_digest(manifest))


def as_start(
    source: Manifest, named: str, *, campaign_uid: str, campaign: str, segment: int, created_at: str
) -> Manifest:
    """Return the manifest of a copy that another campaign begins with; `named`: what the source's is called.

    What was measured stays; what was learnt was learnt by another campaign.
    """
    origin = Origin(
        campaign_uid=source.campaign_uid,
        campaign=named,
        segment=source.segment,
        step=source.step,
        digest=source.digest,
    )
    return with_digest(
        msgspec.structs.replace(
            source,
            campaign_uid=campaign_uid,
            campaign=campaign,
            segment=segment,
            parent_step=source.step,
            parent_digest=source.digest,
            created_at=created_at,
            generation=0,
            attempt=0,
            cursor=(),
            learnt=(),
            origin=origin,
            recipe=None,
        )
    )


def weights_only(manifest: Manifest) -> Manifest:
    """Return the manifest of the same checkpoint without the optimizer's state."""
    files = tuple(entry for entry in manifest.files if not is_of_optimizer(entry))
    return with_digest(msgspec.structs.replace(manifest, files=files, demoted_from=manifest.digest))


def is_of_optimizer(entry: FileEntry) -> bool:
    """Does a file hold the optimizer's state?"""
    return entry.path.startswith("optimizer")


def optimizer_bytes(manifest: Manifest) -> int:
    """Return how large the optimizer's state is: what becomes free without it, since the weights stay."""
    return sum(entry.size_bytes for entry in manifest.files if is_of_optimizer(entry))


def manifest_digest(manifest: Manifest) -> str:
    """Return `blake3:` and 64 hex digits over all of the manifest but its digest.

    A field that came later is left out while it says nothing: older manifests keep their digests.
    """
    fields = msgspec.to_builtins(manifest)
    del fields["digest"]
    for name in _CAME_LATER:
        if not fields[name]:
            del fields[name]
    return "blake3:" + blake3(canonical_json(fields)).hexdigest()
