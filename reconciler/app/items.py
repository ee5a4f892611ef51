"""What `get` hands out: one record for each thing, by kind."""

import msgspec


class CampaignItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    is_active: bool
    state: str
    """new, active, paused, completed, archived, orphan."""
    synced: str
    healthy: str
    reason: str
    step: int
    goal_updates: int | None
    num_checkpoints: int
    checkpoint_bytes: int
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
    """Of its jobs; `waits` or another blocker's name when it has none."""
    message: str | None
    spec: str


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


class CheckpointItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """<hero>/<campaign>@<step>"""
    step: int
    saved_at: str
    train_loss: float | None
    val_loss: float | None
    size_bytes: int
    state: str
    """complete, unhealthy (a loss was not finite), unrecorded, missing, foreign."""
    path: str
    digest: str | None
    config_hash: str | None
    code_version: str | None
    reason: str | None
    """Why it is foreign."""


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


Item = CampaignItem | HeroItem | QuestItem | JobItem | CheckpointItem | RunItem | SkillItem
