"""Where each setting of a campaign comes from, what it hides, and what the trainer reports that it became."""

from typing import Any

import msgspec

from reconciler.app.looking.given_settings import fixed_settings
from reconciler.app.planning.look import View
from reconciler.desired.layers import Resolved, layers_of, resolve
from reconciler.plan.segments.lowered_rates import lowered
from state.contract.effective import EffectiveRun
from state.contract.run_config import by_key
from state.ids import RunKey
from state.store.rows import RunRow

_ELSEWHERE = {"evaluation.held_out": "evaluation.held_out_fraction"}
"""Setting → key of the config, where their names differ."""


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a later layer hides."""

    layer: str
    value: Any
    origin: str


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One resolved setting and where it comes from."""

    key: str
    value: Any
    origin: str
    layer: str
    shadowed: tuple[Shadowed, ...] = ()
    reported: Any = None
    """What the newest run's trainer says that it uses, where that is another value."""
    reported_by: str | None = None
    """The run, `g1-a1`; null where the trainer reports no other value, or nothing at all."""


def origins_of(view: View, campaign: str) -> tuple[Origin, ...]:
    """Return every setting of a campaign, its hero's model first; and then where its newest run computes."""
    run, effective = _newest_report(view, campaign)
    used = by_key(effective.config) if effective else {}
    found = [
        _origin(key, setting, used.get(_config_key(key), setting.value), run)
        for key, setting in _settings(view, campaign).items()
    ]
    hero = view.desired.hero_of(campaign)
    fixed = (Origin(key=key, value=value, origin=at, layer="hero") for key, value, at in fixed_settings(hero))
    return (*fixed, *found, *(_machine(run, effective) if run and effective else ()))


def _settings(view: View, campaign: str) -> dict[str, Resolved]:
    row = view.facts.campaign_row(campaign)
    segments = view.facts.segments_of(row.uid) if row is not None else ()
    return lowered(resolve(layers_of(view.desired, campaign)), row, segments)


def _origin(key: str, setting: Resolved, used: Any, run: RunRow | None) -> Origin:
    value = msgspec.to_builtins(setting.value)
    is_other = run is not None and used != setting.value
    return Origin(
        key=key,
        value=value,
        origin=setting.origin,
        layer=setting.layer,
        shadowed=tuple(
            Shadowed(layer=one.layer, value=msgspec.to_builtins(one.value), origin=one.origin)
            for one in setting.shadowed
        ),
        reported=used if is_other else None,
        reported_by=_name(run) if run and is_other else None,
    )


def _machine(run: RunRow, effective: EffectiveRun) -> tuple[Origin, ...]:
    """Return what no spec says: the device that apply chose, and the threads that the trainer chose."""
    device = effective.device + (f" ({effective.device_name})" if effective.device_name else "")
    where = f"chosen for run {_name(run)}"
    return tuple(
        Origin(key=key, value=value, origin=where, layer="run")
        for key, value in (("device", device), ("threads", effective.threads))
    )


def _config_key(setting: str) -> str:
    key = _ELSEWHERE.get(setting, setting)
    return key if key.partition(".")[0] in ("evaluation", "checkpoint") else f"training.{key}"


def _name(run: RunRow) -> str:
    return f"g{run.generation}-a{run.attempt}"


def _newest_report(view: View, campaign: str) -> tuple[RunRow | None, EffectiveRun | None]:
    """Return the newest run that has told what it uses; of an older version, or dead early, it has not."""
    from state.contract.files import ContractError, read

    row = view.facts.campaign_row(campaign)
    if row is None:
        return None, None
    runs = sorted(view.facts.runs_of(row.uid), key=lambda run: run.launched_at)
    for run in reversed(runs[-_LOOKED_AT:]):
        key = RunKey(run.campaign_uid, run.generation, run.attempt)
        try:
            return run, read(view.layout.home_of(row).run(key).effective, EffectiveRun)
        except (OSError, ContractError):
            continue
    return None, None


_LOOKED_AT = 5
"""Older runs say nothing about how training goes now."""
