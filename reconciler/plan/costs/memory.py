"""What memory the runs that a plan starts need, and how that is known. Shown; it blocks nothing.

A launch is blocked only where the model alone exceeds its device (`too_large`): where an update does, the
trainer makes it in smaller micro-batches.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from reconciler.observed.facts import Facts
from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from state.contract.run_config import RunConfig
from state.ids import RunKey
from state.store.rows import RunRow

if TYPE_CHECKING:
    from state.contract.memory_need import MemoryNeed, Shape

Verdict = Literal["fits", "does not fit", "unknown device", "unknown model"]
_Kind = Literal["cpu", "cuda"]


class RunMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What one run needs, beside what its device has."""

    campaign: str
    device: str
    need_bytes: int | None
    """At its peak; null where the model's sizes are not known."""
    evidence: Literal["estimated", "measured"] | None
    """From the config, or the peak of earlier runs of the same model, method, settings and kind of device."""
    measured_at: str | None
    device_bytes: int | None
    """All of the device's memory, of the CPU the machine's or our share of it; null where nobody tells."""
    free_bytes: int | None = None
    """Of that; null also where a run that holds some of it leaves first."""
    tokens: int | None = None
    """In micro-batches of so many tokens at most, where less fits at once than was asked for; else null."""
    is_checkpointing: bool = False
    """Layers are computed twice in this estimate."""
    least_bytes: int | None = None
    """What it would need with documents of one token and layers computed twice; null where it is measured."""
    verdict: Verdict
    is_probed_first: bool = False
    """The run finds out what it takes before its first update."""


class _Device(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of where a run is to train."""

    kind: _Kind
    total_bytes: int | None
    free_bytes: int | None
    libraries_bytes: int
    """What a trainer takes before it has made a tensor."""


class _Estimate(msgspec.Struct, frozen=True, kw_only=True):
    need: "MemoryNeed"
    tokens: int | None
    is_checkpointing: bool
    least_bytes: int


def memory_of(facts: Facts, changes: Iterable[Change]) -> tuple[RunMemory, ...]:
    """Return the need of every run that these changes start."""
    actions = [change.action for change in changes]
    is_left_first = any(isinstance(action, a.StopRun) for action in actions)
    launches = (action for action in actions if isinstance(action, a.LaunchRun))
    return tuple(_of_launch(facts, launch, is_left_first=is_left_first) for launch in launches)


def _of_launch(facts: Facts, launch: a.LaunchRun, *, is_left_first: bool) -> RunMemory:
    device = _device(facts, launch.device)
    measured, estimated = (
        measured_peak(facts, launch.config, launch.device),
        _estimated(facts, launch, device),
    )
    if measured and _had_less_to_do(device, measured[0], estimated):
        measured = None
    need = measured[0] if measured else estimated.need.total_bytes if estimated is not None else None
    return RunMemory(
        campaign=launch.campaign,
        device=launch.device,
        need_bytes=need,
        evidence="measured" if measured else "estimated" if need is not None else None,
        measured_at=measured[1] if measured else None,
        device_bytes=device.total_bytes,
        free_bytes=None if is_left_first else device.free_bytes,
        tokens=estimated.tokens if estimated is not None and not measured else None,
        is_checkpointing=estimated is not None and not measured and estimated.is_checkpointing,
        least_bytes=estimated.least_bytes if estimated is not None and not measured else None,
        verdict=_verdict(need, device.total_bytes),
        is_probed_first=launch.probe,
    )


def _had_less_to_do(device: _Device, peak: int, estimated: _Estimate | None) -> bool:
    """Did earlier runs have shorter documents only, so that their peak says too little about the longest?

    Their whole process took less than one with its libraries and the longest's tensors, which is the estimate
    without what a save copies and the heap loses. Not on a GPU, whose runs find out first what the widest
    micro-batch takes.
    """
    from state.contract.memory_need import FIRST_USE

    if device.kind == "cuda" or estimated is None:
        return False
    return peak < device.libraries_bytes + FIRST_USE + estimated.need.tensor_bytes


def _verdict(need: int | None, has: int | None) -> Verdict:
    if need is None:
        return "unknown model"
    if has is None:
        return "unknown device"
    return "fits" if need <= has else "does not fit"


def is_probed_first(facts: Facts, config: RunConfig, device: str) -> bool:
    """Does the run find out first what it takes? On a GPU, where no run like it has told."""
    return device.startswith("cuda") and measured_peak(facts, config, device) is None


def measured_peak(facts: Facts, config: RunConfig, device: str) -> tuple[int, str] | None:
    """Return the largest peak of earlier runs of the same model, method and settings, and when it was told.

    Runs of other campaigns count, too; of one that lives, what it told so far.
    """
    from state.contract.memory_alike import memory_key, memory_key_of

    wanted = memory_key(config, device)
    peaks = (
        _peak(facts, row)
        for row in facts.store.runs
        if memory_key_of(row.config_json, row.device) == wanted and row.failure_class != "oom"
    )
    return max((peak for peak in peaks if peak is not None), default=None)


def _peak(facts: Facts, row: RunRow) -> tuple[int, str] | None:
    """Return what a run took at once, and when it said so; its row knows once it is over."""
    if row.peak_memory_bytes is not None:
        return row.peak_memory_bytes, row.ended_at or row.launched_at
    campaign = facts.campaigns.get(facts.campaign_name(row.campaign_uid))
    key = RunKey(row.campaign_uid, row.generation, row.attempt)
    seen = campaign.run(key) if campaign is not None else None
    if seen is None or seen.status is None or seen.status.peak_memory_bytes is None:
        return None
    return seen.status.peak_memory_bytes, seen.status.updated_at


def _estimated(facts: Facts, launch: a.LaunchRun, device: _Device) -> _Estimate | None:
    """Return the need of the micro-batches that the trainer makes: of as many tokens as fit by this estimate.

    As long as the longest documents: what the quest's rows really have is not looked at. `precision: auto` is
    counted as bf16 on a GPU, as float32 on a CPU.
    """
    from state.contract import memory_need as m

    training, shape = launch.config.training, _shape(facts, launch.campaign, launch.config)
    if shape is None:
        return None
    usable = m.usable_of(device.total_bytes) if device.total_bytes is not None else None
    kind, of_libraries = device.kind, device.libraries_bytes
    is_checkpointing = m.needs_checkpointing(shape, training, kind, usable, of_libraries)
    tokens = wished = m.wished_tokens(training, kind)
    if usable is not None and training.packing:
        tokens = m.roomy_tokens(
            shape,
            training,
            kind,
            usable,
            wished=wished,
            is_checkpointing=is_checkpointing,
            libraries_bytes=of_libraries,
        )
    need = m.memory_need(
        shape, training, kind, tokens=tokens, is_checkpointing=is_checkpointing, libraries_bytes=of_libraries
    )
    least = m.memory_need(
        shape, training, kind, tokens=1, is_checkpointing=True, libraries_bytes=of_libraries
    )
    return _Estimate(
        need=need,
        tokens=tokens if tokens < wished else None,
        is_checkpointing=is_checkpointing,
        least_bytes=least.total_bytes,
    )


class ModelMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes before anything goes through it, beside what its device has; null: not known."""

    state_bytes: int | None
    device_bytes: int | None


def model_memory(facts: Facts, campaign: str, config: RunConfig, device: str) -> ModelMemory:
    """Return what weights, gradients and moments of a campaign's run take."""
    from state.contract.memory_need import state_bytes

    there, shape = _device(facts, device), _shape(facts, campaign, config)
    return ModelMemory(
        state_bytes=state_bytes(shape, config.training, there.kind) if shape is not None else None,
        device_bytes=there.total_bytes,
    )


def _shape(facts: Facts, campaign: str, config: RunConfig) -> "Shape | None":
    from state.contract.memory_need import shape_of

    return shape_of(config.model.config or _pretrained(facts, campaign), config.model.vocab_size)


def _pretrained(facts: Facts, campaign: str) -> Mapping[str, Any]:
    found = facts.models.get(campaign.partition("/")[0])
    return found.config.sizes if found is not None and found.config is not None else {}


def _device(facts: Facts, name: str) -> _Device:
    kind, _, index = name.partition(":")
    if kind != "cuda":
        host = facts.host_memory
        return _Device(
            kind="cpu",
            total_bytes=host.total_bytes if host is not None else None,
            free_bytes=host.free_bytes if host is not None else None,
            libraries_bytes=_libraries_bytes(facts),
        )
    gpu = next((gpu for gpu in facts.gpus.gpus if gpu.index == int(index or 0)), None)
    total, used = (gpu.memory_total_bytes, gpu.memory_used_bytes) if gpu is not None else (None, None)
    free = total - used if total is not None and used is not None else None
    return _Device(kind="cuda", total_bytes=total, free_bytes=free, libraries_bytes=_libraries_bytes(facts))


def _libraries_bytes(facts: Facts) -> int:
    """Return what the newest run told of its libraries, which are those of the torch installed here."""
    from state.contract.memory_need import LIBRARIES

    told = (run.status for campaign in facts.campaigns.values() for run in campaign.runs if run.status)
    found = [(one.updated_at, one.libraries_bytes) for one in told if one.libraries_bytes is not None]
    return max(found)[1] if found else LIBRARIES
