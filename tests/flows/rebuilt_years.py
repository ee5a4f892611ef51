"""What the tests of a rebuild share: how a store is lost, made again and compared."""

import shutil
import signal
from pathlib import Path

import msgspec
from children import in_child
from year import Year

from reconciler.app.rebuilding.doctor import Rebuilt, rebuild
from reconciler.plan.changes import Plan
from state import failpoints
from state.store.rows import RunRow, StoreView


def rebuilt(year: Year) -> Rebuilt:
    return rebuild(year.world.environment, year.world.options)


def without_waits(plan: Plan) -> object:
    """Return a plan as data, but for how long something waits still."""
    items = [msgspec.structs.replace(item, message="") for item in plan.blocked]
    return msgspec.to_builtins(msgspec.structs.replace(plan, blocked=tuple(items)))


def without_time(store: StoreView) -> object:
    """Return what a store says, but for requests, approvals and observed time."""
    kept = msgspec.structs.replace(
        store,
        epoch=0,
        observed_seconds=0.0,
        observed_at=None,
        clean_ticks=0,
        approval=None,
        attempted_commit=None,
        requests=(),
        failed_actions=(),
    )
    return msgspec.to_builtins(kept)


def lose(year: Year, *places: str) -> None:
    for place in places:
        path = year.world.lab.layout.root / place
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def folders_of(year: Year) -> set[Path]:
    return set(year.world.lab.layout.campaigns.rglob("checkpoint-*"))


def key(run: RunRow) -> tuple[str, int, int]:
    return run.campaign_uid, run.generation, run.attempt


def killed(year: Year, at: int) -> bool:
    """Make the store again in a child that dies at a failpoint; say whether it came that far."""

    def work() -> None:
        failpoints.arm(at, "kill")
        rebuilt(year)

    return in_child(work) == -signal.SIGKILL
