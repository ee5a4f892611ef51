"""What memory the runs that a plan starts need, and how that is known. Shown; it blocks nothing."""

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
    from state.contract.memory_need import MemoryNeed

Verdict = Literal["fits", "does not fit", "unknown device", "unknown model"]


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
    """All of the device's memory; null where nobody tells, as for the CPU."""
    verdict: Verdict
    is_probed_first: bool = False
    """The run finds out what it takes before its first update."""


def memory_of(facts: Facts, changes: Iterable[Change]) -> tuple[RunMemory, ...]:
    """Return the need of every run that these changes start."""
    launches = (change.action for change in changes if isinstance(change.action, a.LaunchRun))
    return tuple(_of_launch(facts, launch) for launch in launches)


def _of_launch(facts: Facts, launch: a.LaunchRun) -> RunMemory:
    measured, estimated = measured_peak(facts, launch.config, launch.device), _estimated(facts, launch)
    if measured and _had_less_to_do(launch, measured[0], estimated):
        measured = None
    need = measured[0] if measured else estimated.total_bytes if estimated is not None else None
    has = _device_bytes(facts, launch.device)
    return RunMemory(
        campaign=launch.campaign,
        device=launch.device,
        need_bytes=need,
        evidence="measured" if measured else "estimated" if need is not None else None,
        measured_at=measured[1] if measured else None,
        device_bytes=has,
        verdict=_verdict(need, has),
        is_probed_first=launch.probe,
    )


def _had_less_to_do(launch: a.LaunchRun, peak: int, estimated: "MemoryNeed | None") -> bool:
    """Did earlier runs have shorter documents only, so that their peak says too little about the longest?

    Their whole process took less than the longest's tensors alone do. Not on a GPU, whose runs find out first
    what the widest micro-batch takes.
    """
    is_on_gpu = launch.device.startswith("cuda")
    return not is_on_gpu and estimated is not None and peak < estimated.tensor_bytes


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


def _estimated(facts: Facts, launch: a.LaunchRun) -> "MemoryNeed | None":
    from state.contract.memory_need import memory_need, needs_checkpointing, shape_of, tokens_at_once

    model, training = launch.config.model, launch.config.training
    shape = shape_of(model.config or _pretrained(facts, launch), model.vocab_size)
    if shape is None:
        return None
    kind: Literal["cpu", "cuda"] = "cuda" if launch.device.startswith("cuda") else "cpu"
    return memory_need(
        shape,
        training,
        kind,
        tokens=tokens_at_once(training),
        is_checkpointing=needs_checkpointing(shape, training, kind, _device_bytes(facts, launch.device)),
    )


def _pretrained(facts: Facts, launch: a.LaunchRun) -> Mapping[str, Any]:
    found = facts.models.get(launch.campaign.partition("/")[0])
    return found.config.sizes if found is not None and found.config is not None else {}


def _device_bytes(facts: Facts, device: str) -> int | None:
    kind, _, index = device.partition(":")
    if kind != "cuda":
        return None
    return next((gpu.memory_total_bytes for gpu in facts.gpus.gpus if gpu.index == int(index or 0)), None)
