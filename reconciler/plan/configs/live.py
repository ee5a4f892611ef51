"""Live changes: what a running trainer takes up at its next update boundary, without a restart.

A live change makes a new generation without a launch. The run keeps its key (generation and attempt of its
launch), so no key is ever launched twice; row and orders say which config is in force, and the next launch
begins the first attempt of that generation.
"""

import msgspec

from reconciler.plan.configs.changed import Difference, cause_of, change_since
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.world import LiveRun, World
from state.contract.orders import ConfigInForce
from state.contract.run_config import RunConfig, config_hash
from state.store.in_force import InForce, in_force


class WantedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The config that the orders of a run should carry."""

    config: ConfigInForce | None
    """None: as it was launched."""
    text: str | None = None
    """What is new in it, for people; None: the orders carry it already."""
    cause: str | None = None


def is_live(difference: Difference, live: LiveRun) -> bool:
    """Can the running trainer take this up? One of an older version cannot take up anything."""
    status = live.seen.status if live.seen else None
    return difference.verdict in ("no-op", "live") and (status is None or status.takes_config)


def wanted_config(world: World, live: LiveRun) -> WantedConfig:
    """Return the config for a run's orders: a live change of the specs, else the one that is in force."""
    now, resolved = in_force(live.row), resolve_run(world, live.campaign)
    if isinstance(resolved, ResolvedRun) and resolved.config_hash != now.config_hash:
        difference = change_since(now.config_json, resolved.config)
        if is_live(difference, live):
            return WantedConfig(
                config=_next(now, resolved.config, world.specs_commit),
                text=difference.text_and_class,
                cause=cause_of(world, live.campaign, resolved, difference),
            )
    return _carried(live, now)


def _next(now: InForce, config: RunConfig, specs_commit: str) -> ConfigInForce:
    return ConfigInForce(
        generation=now.generation + 1,
        config=config,
        config_hash=config_hash(config),
        specs_commit=specs_commit,
    )


def _carried(live: LiveRun, now: InForce) -> WantedConfig:
    """Return the config in force, which orders go on to carry; named where a kill left them without it."""
    has = live.seen.orders.config if live.seen and live.seen.orders else None
    if live.row.told_generation is None:
        return WantedConfig(config=None, text="the config of its launch" if has else None)
    config = ConfigInForce(
        generation=now.generation,
        config=msgspec.json.decode(now.config_json, type=RunConfig),
        config_hash=now.config_hash,
        specs_commit=now.specs_commit,
    )
    missing = has is None or has.config_hash != now.config_hash
    return WantedConfig(config=config, text=f"config of generation {now.generation}" if missing else None)
