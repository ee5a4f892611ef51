"""The loss curves of a campaign, from the metrics that its runs have written."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from reconciler.app.planning.look import View
from state.contract.metrics import MetricsRecord
from state.homes import find_home
from state.ids import RunKey
from state.segments import living_bounds
from state.store.rows import RunRow

Points = tuple[tuple[int, float], ...]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a drawing."""

    name: str
    """The campaign."""
    is_held_out: bool
    points: Points
    """Step and loss in nats per token, by step."""


def curves_of(
    view: View, campaign: str, until_step: int | None = None, segment: int | None = None
) -> list[Curve]:
    """Return the training and the held-out loss of a campaign; none of them where nothing was written.

    With `segment` they lead to that segment, which a rollback left or which branched off.
    """
    row = view.facts.campaign_row(campaign)
    if row is None:
        return []
    home = find_home(view.layout, row).places
    bounds = living_bounds(segment or row.segment, view.facts.segments_of(row.uid))
    train, held_out = losses_of(
        view.facts.runs_of(row.uid),
        bounds,
        lambda run: records(home.run(RunKey(row.uid, run.generation, run.attempt)).metrics),
    )
    named = ((False, train), (True, held_out))
    curves = (
        Curve(name=campaign, is_held_out=kind, points=_until(found, until_step)) for kind, found in named
    )
    return [curve for curve in curves if curve.points]


def losses_of(
    runs: Iterable[RunRow],
    bounds: Mapping[int, int | None],
    told: Callable[[RunRow], Iterable[MetricsRecord]],
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the training and the held-out loss by step, along these segments, each up to its last step.

    What a rollback left, or a branch that is not asked for, is hidden; its lines stay where they are.
    """
    train: dict[int, float] = {}
    held_out: dict[int, float] = {}
    for run in runs:
        last = bounds.get(run.segment, 0)
        if last is not None and (run.resume_step or 0) >= last:
            continue  # of another segment, or all of it lies beyond
        _forget_after(train, run.resume_step)
        _forget_after(held_out, run.resume_step)
        for record in told(run):
            if last is None or record.step <= last:
                _take(record, train, held_out)
    return train, held_out


def records(file: Path) -> Iterator[MetricsRecord]:
    """Yield what a run has written; a line that is still being written, or is damaged, is left out."""
    decoder = msgspec.json.Decoder(MetricsRecord)
    try:
        with file.open("rb") as lines:
            for line in lines:
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue
    except FileNotFoundError:
        return


def _forget_after(points: dict[int, float], step: int | None) -> None:
    """Forget what an earlier run measured beyond the checkpoint that a later one went on from."""
    for later in [at for at in points if at > (step or 0)]:
        del points[later]


def _take(record: MetricsRecord, train: dict[int, float], held_out: dict[int, float]) -> None:
    if record.kind == "update" and record.loss is not None and math.isfinite(record.loss):
        train[record.step] = record.loss
    elif record.kind == "evaluation" and record.val_loss is not None and math.isfinite(record.val_loss):
        held_out[record.step] = record.val_loss


def _until(points: dict[int, float], step: int | None) -> Points:
    return tuple(point for point in sorted(points.items()) if step is None or point[0] <= step)
