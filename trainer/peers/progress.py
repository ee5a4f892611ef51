"""Progress as transformers' Trainer reports it (`KubeflowCallback`, transformers 5.x): parsed, nothing else.

A report is `{"trainerStatus": {"lastUpdatedTime", "progressPercentage", "estimatedRemainingSeconds",
"metrics": [{"name", "value"}]}}`, whose values are strings. It comes at the beginning, at most every five
seconds after an update, and at the end.
"""

import math

import msgspec

MOST_BYTES = 1 << 20
"""Of a report; a larger one is none."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: str | float


class TrainerStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    last_updated_time: str
    progress_percentage: int | None = None
    estimated_remaining_seconds: int | None = None
    metrics: tuple[Metric, ...] = ()


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    trainer_status: TrainerStatus = msgspec.field(name="trainerStatus")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of training; None where it does not."""

    step: int | None
    total_steps: int | None
    """As the report at the beginning says; the one at the end names neither."""
    loss: float | None
    learning_rate: float | None
    gradient_norm: float | None
    eta_seconds: float | None
    percent: int | None


class NotAReport(ValueError):
    """What was sent is no report; one sentence."""


def parse_report(body: bytes) -> Progress:
    """Return what a report says.

    Raises:
        NotAReport: it is not one.
    """
    try:
        status = msgspec.json.decode(body, type=_Report).trainer_status
    except msgspec.MsgspecError as error:
        raise NotAReport(f"no progress of a trainer: {error}") from error
    found = {metric.name: _number(metric.value) for metric in status.metrics}
    return Progress(
        step=_count(found.get("current_step")),
        total_steps=_count(found.get("total_steps")),
        loss=found.get("loss"),
        learning_rate=found.get("learning_rate"),
        gradient_norm=found.get("grad_norm"),
        eta_seconds=status.estimated_remaining_seconds,
        percent=status.progress_percentage,
    )


def _count(value: float | None) -> int | None:
    return None if value is None or value < 0 else int(value)


def _number(value: str | float) -> float | None:
    """Return a value as a number; None of what is none, or not finite."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
