"""What can happen to a run."""

from typing import Literal

from reconciler.plan.actions.base import Action
from state.contract.orders import ConfigInForce
from state.contract.request import DecayBranch, HeldOutFile, RunConfig
from state.ids import RunKey


class RunAction(Action, frozen=True, kw_only=True):
    """What concerns one run."""

    campaign: str
    campaign_uid: str
    generation: int
    attempt: int

    @property
    def key(self) -> RunKey:
        return RunKey(self.campaign_uid, self.generation, self.attempt)


class LaunchRun(RunAction, frozen=True, kw_only=True):
    """Start a trainer. It goes on from the newest complete checkpoint that lies there at that moment."""

    config: RunConfig
    config_hash: str
    job_uids: tuple[str, ...]
    segment: int | None = None
    """Of a release that branches off; None: the living history."""
    parent_digest: str | None = None
    """Of the checkpoint that it branches off from."""
    decay: DecayBranch | None = None
    goal_updates: int | None
    goal_tokens: int | None = None
    goal_quests: int | None = None
    device: str
    threads: int | None
    model_dir: str | None
    held_out: HeldOutFile | None
    optimizer_state: Literal["resume", "fresh"]
    specs_commit: str
    probe: bool = False
    """Find out first what it takes of memory: on a GPU, where no run like it has told."""


class ConfirmRun(RunAction, frozen=True, kw_only=True):
    """Write down that a launched trainer claimed its run."""

    pid: int


class ReopenRun(RunAction, frozen=True, kw_only=True):
    """Take up again a run that was closed as lost though its trainer lives."""

    pid: int


class GiveOrders(RunAction, frozen=True, kw_only=True):
    """Hand a running trainer its new list of quests, goal, pause, or what it can take up of a new config."""

    sequence: int
    job_uids: tuple[str, ...]
    goal_updates: int | None
    goal_tokens: int | None = None
    goal_quests: int | None = None
    pause: bool
    save: int = 0
    """The newest request for a checkpoint; 0: there was none."""
    config: ConfigInForce | None = None
    """None: it trains as it was launched."""


class StopRun(RunAction, frozen=True, kw_only=True):
    """Make a trainer save at its next update boundary and leave; after the grace time it is killed."""

    why: str
    grace_seconds: float
    silent_since: str | None = None
    """Of a trainer that is frozen: its last word, and it is left alone if it has spoken since."""


class CloseRun(RunAction, frozen=True, kw_only=True):
    """Write down that a run is over."""

    end: Literal["finished", "goal_reached", "stopped", "failed", "lost", "never_started"]
    failure_class: str | None = None
    message: str
    quest_id: str | None = None
    final_step: int | None = None
    last_checkpoint_step: int | None = None
    ended_at: str | None = None
    """When the trainer says that it left; None when it could not say."""
