"""The rows about checkpoints: the ledger, copies outside the root, manifests, tombstones. See `rows`."""

from typing import Literal

import msgspec

from state.ids import is_living_place, which_of

DropKind = Literal["asked", "rolled"]
TrashKind = Literal["asked", "rolled", "moved"]
"""Dropped by a person's wish, or by the rules; or moved out of the root: a copy elsewhere stands for it."""
TrashState = Literal["trashed", "purging", "purged", "restored"]
NEVER_READ = ""
"""The moment at which a copy was read that was only found: long ago, so it is read before the others."""
CopyKind = Literal["export", "copy", "archive"]
"""Why a copy was made: a person asked, the rules want one more, or it stands for one of the archive."""


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One save of a checkpoint; never deleted. Of several of one step, the last one recorded is in force."""

    campaign_uid: str
    segment: int
    step: int
    sequence: int
    """Order of recording, over all campaigns; retention orders by it."""
    timestamp: str
    path: str
    """Relative to the root."""
    canonical_name: str
    train_loss: float | None
    val_loss: float | None
    learning_rate: float | None
    training_file: str | None
    """Id of the quest that was trained last."""
    total_examples_trained: int
    size_bytes: int
    has_optimizer: bool
    healthy: bool
    digest: str
    parent_step: int | None
    generation: int
    attempt: int
    config_hash: str
    code_version: str
    specs_commit: str
    damage: str | None = None
    """What is wrong with its contents, once they were found damaged; then it is never resumed from."""
    tokens_seen: int = 0
    """Since the weights began; 0 in a row of an older version."""
    quests_done: int = 0
    """Quests that the campaign had learnt to the end."""
    recorded_at_seconds: float = 0.0
    """Observed time when it was recorded; 0 in a row of an older version."""
    marks_json: str = ""
    """What people protected it by, `Marks`; empty: by nothing."""
    skills_json: str = ""
    """What examinations of its weights came to, a tuple of LevelResult; empty: there was none."""
    verified_at: str | None = None
    """When all of it was last read again, past the cache, and was as it was saved; None: not yet."""

    @property
    def is_living(self) -> bool:
        """Is it of the living history: the living segment, or what that went on from?"""
        return is_living_place(self.path)

    @property
    def named_segment(self) -> int | None:
        """Return the segment that is part of its name; None: it is of the living history."""
        return None if self.is_living else self.segment

    @property
    def which(self) -> str:
        """Return what follows the campaign's name and `@`: the step, in another segment with its number."""
        return which_of(self.named_segment, self.step)


class CopyRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A whole copy of a checkpoint outside the root: its files, under the same manifest."""

    sequence: int
    """Of the checkpoint's ledger row."""
    path: str
    """The folder, absolute."""
    kind: CopyKind
    digest: str
    """Of its manifest, which is the checkpoint's."""
    size_bytes: int
    made_at: str
    """Then all of it was read back and hashed for the first time."""
    checked_at: str
    """When it was last looked at, whatever was found; `NEVER_READ`: not since the store was made again."""
    damage: str | None = None
    """What was wrong with it then; None: every byte was right."""
    unreachable: str | None = None
    """Why nothing could be said of it then, as of a disk that is away: `damage` is as it was before."""


class ManifestRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What one saved checkpoint had learnt and came from; stays when the checkpoint is deleted.

    `plan` never reads it: it is for proofs.
    """

    digest: str
    """Of the manifest."""
    manifest_json: str
    """The manifest without its cursor."""


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that a checkpoint stays; kept with it, whatever becomes of the line that said so."""

    pinned: bool = False
    tags: tuple[str, ...] = ()
    """Sorted."""
    milestones: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET
    """Those that it stood for when their line was taken out, sorted; not told where there are none."""

    @property
    def stood_for(self) -> tuple[int, ...]:
        """The former milestones that it stood for."""
        return self.milestones or ()


class TrashRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The tombstone of a dropped checkpoint, whose ledger row stays, or of a campaign deleted whole."""

    sequence: int
    """Of its ledger row. Of a whole campaign its deletion number, which is negative."""
    campaign_uid: str
    campaign: str
    step: int
    digest: str
    origin: str
    """Where it lay, below the root."""
    path: str
    """Where it lies until the purge, below the root."""
    size_bytes: int
    kind: TrashKind
    reason: str
    trashed_at: str
    trashed_at_seconds: float
    """Observed time."""
    grace_seconds: float
    """Of observed time; only then it may be purged."""
    clean_ticks: int
    """How many clean ticks the realm had seen when it was dropped."""
    state: TrashState
    ended_at: str | None = None
    overrules: str | None = None
    """Of what was taken back: the line of the spec that stood then and counts no more while it stands."""
    segment: int | None = None
    """Of a checkpoint that is not of the living history any more: its segment."""
    keeps: str | None = None
    """Of the full form of a checkpoint that keeps its weights only: the digest of these, which lie in its
    place. Its number is one that no row of the ledger has."""
    damage: str | None = None
    """What is wrong with such a full form, once that was found; of all else the ledger says it."""
    verified_at: str | None = None
    """When such a full form was last read again, and was as it was saved."""
    wanted_at: str | None = None
    """Of a campaign deleted whole: when its spec wanted it again, so that its deletion is over."""

    @property
    def is_campaign(self) -> bool:
        """Is it of a whole campaign? Then `step` is where that stood, `digest` that of its contents."""
        return self.sequence < 0

    @property
    def is_moved(self) -> bool:
        """Does a copy elsewhere stand for it?"""
        return self.kind == "moved"

    @property
    def which(self) -> str:
        """Return what follows the campaign's name and `@`: the step, in another segment with its number."""
        return which_of(self.segment, self.step)

    @property
    def thing(self) -> str:
        """Return what people call it, and undelete takes: `<hero>/<id>@<step>`, or `<hero>/<id>`."""
        return self.campaign if self.is_campaign else f"{self.campaign}@{self.which}"

    @property
    def subject(self) -> str:
        """Return what a change of it is about."""
        return f"{'campaign' if self.is_campaign else 'checkpoint'}/{self.thing}"
