"""The launch that is not over, as its heartbeat and the process table tell it."""

import msgspec

from reconciler.app.planning.look import View
from reconciler.observed.records import RunFacts
from reconciler.plan.runs.silence import seconds_between, stale_seconds
from reconciler.plan.world import World
from state.store.in_force import in_force
from state.store.rows import CampaignRow, RunRow

_TOLD = (
    *("step", "quest_id", "quest_update", "quest_updates"),
    *("loss", "val_loss", "val_step", "tokens_per_second", "eta_seconds"),
)


class ActiveRun(msgspec.Struct, frozen=True, kw_only=True):
    """A launch that is not over, as its heartbeat tells it."""

    run: str
    device: str
    pid: int | None
    phase: str
    """What the trainer says, `lost` when its process is gone, `silent` when its heartbeat is too old."""
    is_alive: bool
    step: int | None = None
    quest_id: str | None = None
    quest_update: int | None = None
    quest_updates: int | None = None
    loss: float | None = None
    val_loss: float | None = None
    val_step: int | None = None
    """Where `val_loss` was measured."""
    tokens_per_second: float | None = None
    eta_seconds: float | None = None
    heartbeat_age_seconds: float | None = None
    config_hash: str
    code_version: str
    specs_commit: str
    launched_at: str


def active_run(view: View, world: World, row: CampaignRow) -> ActiveRun | None:
    open_runs = [run for run in view.facts.runs_of(row.uid) if run.state != "ended"]
    if not open_runs:
        return None
    run = max(open_runs, key=lambda one: (one.generation, one.attempt))
    live = next((one for one in world.live_runs() if one.row == run), None)
    seen = next(
        (
            one
            for one in world.seen(row.name).runs
            if (one.generation, one.attempt) == (run.generation, run.attempt)
        ),
        None,
    )
    return told(run, seen, is_alive=live is not None, now=view.seen_at)


def told(run: RunRow, seen: RunFacts | None, *, is_alive: bool, now: str) -> ActiveRun:
    beat = seen.status if seen else None
    age = seconds_between(beat.updated_at, now) if beat else None
    fields = {name: getattr(beat, name) for name in _TOLD} if beat is not None else {}
    return ActiveRun(
        run=f"g{run.generation}-a{run.attempt}",
        device=run.device,
        pid=seen.process.pid if seen and seen.process else run.pid,
        phase=_phase(seen, is_alive=is_alive, age_seconds=age),
        is_alive=is_alive,
        heartbeat_age_seconds=age,
        config_hash=in_force(run).config_hash,
        code_version=run.code_version,
        specs_commit=in_force(run).specs_commit,
        launched_at=run.launched_at,
        **fields,
    )


def _phase(seen: RunFacts | None, *, is_alive: bool, age_seconds: float | None) -> str:
    """Return what the trainer is doing; never more than what a living process said lately."""
    beat = seen.status if seen else None
    if not is_alive:
        return "exited" if seen is not None and seen.exit is not None else "lost"
    if beat is None or age_seconds is None:
        return "starting"
    return "silent" if age_seconds > stale_seconds(beat) else beat.phase
