"""What a running trainer reports about itself, compared with what it was asked for."""

import msgspec

from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World
from state.contract.effective import reported_otherwise
from state.contract.run_config import RunConfig
from state.store.in_force import in_force


def plan_effective(world: World, draft: Draft) -> None:
    """Warn of values that a trainer uses and was not asked for; what was left to it is no difference."""
    for live in world.live_runs():
        draft.warnings += _warnings(live)


def _warnings(live: LiveRun) -> list[str]:
    effective, now = live.seen.effective if live.seen else None, in_force(live.row)
    if effective is None or effective.config_hash != now.config_hash:
        return []  # it tells once it has loaded, and again once it has taken up what it was told
    asked = msgspec.json.decode(now.config_json, type=RunConfig)
    return [
        f"run/{live.campaign}: its trainer uses {one.key} {one.used}; it was asked for {one.asked}"
        for one in reported_otherwise(asked, effective)
        if not one.is_resolved
    ]
