"""What `get` hands out: one record for each thing, by kind."""

import msgspec

from state.examinations import Statistics


class CampaignItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    is_active: bool
    state: str
    """new, active, paused (not the active one), completed, archived, deleted, orphan."""
    hold: str | None
    """What a person asked for and has not taken back: pause or stop, by whom, when and why."""
    synced: str
    healthy: str
    reason: str
    step: int
    goal_updates: int | None
    goal: str
    """All goals in words; empty without one."""
    num_checkpoints: int
    checkpoint_bytes: int
    statistics: Statistics
    """As a role-playing game shows it."""
    spec: str | None
    """File of its spec; null when it has none any more."""


class HeroItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str | None
    title: str | None
    model: str
    size_b: float | None
    optimizer: str
    num_campaigns: int
    blocked: str | None
    """The first thing that keeps it from being trained."""
    spec: str


class QuestItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    source: str
    priority: str
    epochs: int
    is_for: tuple[str, ...]
    state: str
    """blocked, failed, skipped, waits; else of its jobs: processing, queued, completed; new without any."""
    message: str | None
    """Why it does not move, or why it waits behind all others."""
    demoted: bool = False
    """It waits behind all others, whatever its priority: somebody skipped it, or it failed twice."""
    spec: str


class QueueItem(msgspec.Struct, frozen=True, kw_only=True):
    """The queue as a whole: its jobs by status."""

    id: str
    state: str
    """healthy, low (fewer jobs to do than its spec wants), suspended."""
    reason: str
    healthy_depth: int
    num_queued: int
    num_processing: int
    num_completed: int
    num_failed: int
    num_skipped: int
    spec: str | None


class JobItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    quest: str
    campaign: str
    status: str
    priority: str
    epochs: int
    num_examples: int
    attempts: int
    start_step: int | None
    final_step: int | None
    final_loss: float | None
    final_val_loss: float | None
    created_at: str
    finished_at: str | None
    config_hash: str | None
    last_error: str | None
    """The last failure, or who skipped it and why; it stays when the job is done after all."""
    demoted: bool = False
    """It was sent behind all others, whatever its priority."""


class CheckpointItem(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint; what older systems record of one has the name that it has there."""

    id: str
    """<hero>/<campaign>@<step>"""
    state: str
    """complete, unhealthy (damaged, or a loss not finite), unrecorded, missing, elsewhere (moved out of the
    root), trashed, purged, foreign."""
    reason: str | None = None
    """Why it is in no better state."""
    step: int | None = None
    """None: it is foreign."""
    timestamp: str = ""
    path: str
    canonical_name: str | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    measured_on: str | None = None
    """The held-out rows that `val_loss` was measured on; only losses on the same ones are compared."""
    learning_rate: float | None = None
    epoch: float | None = None
    accuracy: float | None = None
    perplexity: float | None = None
    training_file: str | None = None
    """Id of the quest that was trained last."""
    skill_name: str | None = None
    skill_level: int | None = None
    total_examples_trained: int = 0
    hero_id: str
    campaign_id: str
    size_bytes: int = 0
    has_optimizer: bool | None = None
    last_used: str | None = None
    locations: tuple[str, ...] = ()
    skill_metrics: dict[str, dict[str, float]] = {}
    skill_levels_at_save: dict[str, int] = {}
    linked_eval_ids: tuple[str, ...] = ()
    skill_effort_at_save: dict[str, float] = {}
    created_by: str = "training"
    ledger_version: str | None = None
    segment: int | None = None
    is_living: bool = True
    """Of the living history? Else it is of a segment that was left by a rollback, or branched off."""
    release: str | None = None
    """What asked for it, when it is one to hand out: the end of a branch whose rate fell."""
    sequence: int | None = None
    """Order of recording, over all campaigns; None: not recorded yet."""
    healthy: bool | None = None
    digest: str | None = None
    parent_step: int | None = None
    generation: int | None = None
    attempt: int | None = None
    config_hash: str | None = None
    code_version: str | None = None
    specs_commit: str | None = None
    verified_at: str | None = None
    """When all of it was last read again past the cache and was as it was saved; None: not yet."""
    pinned: bool = False
    tags: tuple[str, ...] = ()
    """What people protected it by, now or once."""


class SummaryItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the checkpoints of one campaign come to."""

    id: str
    num_checkpoints: int
    """That lie there."""
    states: dict[str, int]
    size_bytes: int
    first_step: int | None
    last_step: int | None
    first_saved_at: str | None
    last_saved_at: str | None
    latest: str | None
    best: str | None
    """The one with the lowest loss on the newest held-out rows."""
    best_val_loss: float | None


class LegendItem(msgspec.Struct, frozen=True, kw_only=True):
    """An archived campaign: how it ended, and what it takes."""

    id: str
    hero_id: str
    campaign_id: str
    name: str | None
    archived_at: str | None
    step: int
    """Of its last checkpoint."""
    total_examples: int
    final_train_loss: float | None
    final_val_loss: float | None
    best_step: int | None
    """Of the checkpoint with the lowest loss on the newest held-out rows."""
    best_val_loss: float | None
    num_checkpoints: int
    """That lie in the archive now."""
    checkpoint_bytes: int
    num_in_trash: int
    """Checkpoints of it that undelete still brings back."""
    trash_bytes: int
    num_elsewhere: int = 0
    """Checkpoints of it that were moved out of the root, and are whole there as far as is known."""
    elsewhere_bytes: int = 0
    elsewhere: tuple[str, ...] = ()
    """The folders under which they lie."""
    num_runs: int
    num_quests: int
    """Trained to the end."""
    path: str
    spec: str | None


class RunItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """<hero>/<campaign>/g<generation>-a<attempt>"""
    state: str
    end: str | None
    device: str
    launched_at: str
    ended_at: str | None
    from_step: int
    to_step: int | None
    config_hash: str
    code_version: str
    specs_commit: str
    pid: int | None
    message: str | None


class SkillItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str | None
    max_level: int
    source: str | None
    num_quests: int
    spec: str


class DatasetItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str | None
    rows: str
    """What of a row is what, in a few words."""
    keys: tuple[str, ...]
    """All keys that a row may have."""
    required: tuple[str, ...]
    """Keys that it must have."""
    max_invalid_fraction: float
    quests: tuple[str, ...]
    """Those that name it, or whose rows fit it alone."""
    suspended: str | None
    """That nothing is taken in by it: by whom, until when and why."""
    not_checked: tuple[str, ...]
    """What its spec says and this version does nothing about."""
    skill_id: str | None
    task_tags: tuple[str, ...]
    spec: str


class TrashItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the trash."""

    id: str
    """<hero>/<campaign>@<step> or <hero>/<campaign>, which undelete takes; of what is foreign its name."""
    thing: str | None = None
    """checkpoint, or campaign: one that was deleted whole."""
    is_optimizer_state: bool = False
    """Of a checkpoint that keeps its weights: nothing but its optimizer's state takes room here."""
    state: str
    """trashed, purging (being deleted now), vanished (taken out by somebody), unknown (dropped since
    the store, an older copy, was made), foreign (not ours)."""
    reason: str
    kind: str | None = None
    """asked: a person wanted it deleted; rolled: the rules dropped it."""
    size_bytes: int = 0
    trashed_at: str | None = None
    left_seconds: float | None = None
    """Of observed time, until it may be deleted for good; two clean ticks come on top."""
    is_held: bool = False
    """It stays, whatever the time: the source of the specs is in doubt, the store an older copy, the newest
    specs have mistakes, or the plan names what stands against it."""
    path: str
    digest: str | None = None


Item = (
    CampaignItem
    | HeroItem
    | QuestItem
    | QueueItem
    | JobItem
    | CheckpointItem
    | SummaryItem
    | LegendItem
    | RunItem
    | SkillItem
    | DatasetItem
    | TrashItem
)
