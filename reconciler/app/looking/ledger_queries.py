"""Questions to the ledger: the latest, the best by a metric, those of a step, a summary. Pure.

Each answer is by campaign: losses of heroes with other tokenizers say nothing about each other.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from reconciler.app.looking.items import CheckpointItem, SummaryItem
from reconciler.app.surroundings.errors import Misused, NotFound
from reconciler.desired.metrics import direction_of, is_of_held_out_rows
from reconciler.desired.mistakes import nearest_name
from state.held_out_rows import newest_rows

METRICS = ("train_loss", "val_loss", "perplexity", "accuracy")
"""Those that a checkpoint has a field for; evaluations add `accuracy/<skill>`."""
_MOST_STEPS = 12
_USABLE = ("complete",)
ABSENT = ("missing", "elsewhere", "trashed", "purged", "foreign")
"""States of what does not lie in its place as a checkpoint."""

Items = Sequence[CheckpointItem]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the checkpoints are asked for; at most one of these."""

    latest: bool = False
    best: str | None = None
    """A metric."""
    step: int | None = None
    summary: bool = False

    @property
    def is_one(self) -> bool:
        """Is something asked for at all?"""
        return self.latest or self.best is not None or self.step is not None or self.summary

    def check(self) -> None:
        """Refuse two questions at once.

        Raises:
            Misused: more than one of latest, best, step and summary.
        """
        asked = [self.latest, self.best is not None, self.step is not None, self.summary]
        if sum(asked) > 1:
            raise Misused("--latest, --best, --step and --summary: choose one")


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """The best checkpoint of a campaign's living history, by a metric."""

    id: str
    value: float
    measured_on: str | None = None
    """The held-out rows; None where the metric is of none."""
    on_other_rows: str | None = None
    """One with a better value that was measured on other held-out rows: the two cannot be compared."""
    on_other_rows_value: float | None = None
    other_rows: str | None = None
    ties: tuple[str, ...] = ()
    """Others with the same value, in the order in which they were recorded."""
    better_left: str | None = None
    """A better one that is complete, too, and lies in a segment that is not of the living history."""
    better_value: float | None = None


def answered(query: Query, items: Items) -> tuple[CheckpointItem | SummaryItem, ...]:
    """Return what is asked for, of these checkpoints.

    Raises:
        Misused: no such metric.
        NotFound: no checkpoint is what was asked for.
    """
    if query.summary:
        return tuple(summary(campaign, of_it) for campaign, of_it in _by_campaign(items))
    if query.step is not None:
        return _of_step(items, query.step)
    if query.latest:
        return _one_each(items, latest, "there is no complete checkpoint yet")
    return _best_of_each(items, str(query.best))


def latest(items: Items) -> CheckpointItem | None:
    """Return the healthy checkpoint that was recorded last: by the ledger's sequence, never by its step."""
    return max(_usable(items), key=lambda item: item.sequence or 0, default=None)


def best(items: Items, metric: str) -> CheckpointItem | None:
    """Return the healthy checkpoint of the living history with the best value; of equals the later.

    In the metric's own direction; what was not measured or is not finite never wins. Held-out losses are
    compared where they were measured on the newest held-out rows: on others they say nothing beside those.
    """
    return _best(_comparable(items, metric), metric)


def _comparable(items: Items, metric: str) -> Iterable[CheckpointItem]:
    """Return the usable ones; of a held-out loss those that were measured on the newest held-out rows."""
    if not is_of_held_out_rows(metric):
        return _usable(items)
    has = [item for item in _usable(items) if value_of(item, metric) is not None]
    ever = [item for item in items if item.is_living and value_of(item, metric) is not None]
    newest = newest_rows(
        ((item.sequence or 0, item.measured_on or "") for item in ever),
        {item.measured_on or "" for item in has},
    )
    return (item for item in has if (item.measured_on or "") == newest)


def better_left(items: Items, than: CheckpointItem, metric: str) -> CheckpointItem | None:
    """Return the best of a campaign's other segments, where it is better than the best of the living one."""
    mine = (than.hero_id, than.campaign_id)
    there = (one for one in items if one.state in _USABLE and (one.hero_id, one.campaign_id) == mine)
    if is_of_held_out_rows(metric):
        there = (one for one in there if one.measured_on == than.measured_on)
    found = _best([than, *(one for one in there if not one.is_living)], metric)
    is_better = found is not None and value_of(found, metric) != value_of(than, metric)
    return found if is_better else None


def _best(items: Iterable[CheckpointItem], metric: str) -> CheckpointItem | None:
    sign = 1.0 if direction_of(metric) == "higher" else -1.0
    measured = ((value_of(item, metric), item) for item in items)
    finite = [(sign * value, item.sequence or 0, item) for value, item in measured if value is not None]
    return max(finite, key=lambda one: one[:2], default=(0.0, 0, None))[2]


def best_told(chosen: Iterable[object], items: Items, metric: str) -> tuple[Best, ...]:
    """Return the value of each chosen checkpoint, and which of its campaign's have the same."""
    ours = [one for one in chosen if isinstance(one, CheckpointItem)]
    values = [(one, value_of(one, metric)) for one in ours]
    return tuple(_told(one, value, items, metric) for one, value in values if value is not None)


def _told(chosen: CheckpointItem, value: float, items: Items, metric: str) -> Best:
    better, other = better_left(items, chosen, metric), _on_other_rows(chosen, items, metric)
    return Best(
        id=chosen.id,
        value=value,
        measured_on=chosen.measured_on if is_of_held_out_rows(metric) else None,
        on_other_rows=other.id if other is not None else None,
        on_other_rows_value=value_of(other, metric) if other is not None else None,
        other_rows=other.measured_on if other is not None else None,
        ties=_ties(chosen, items, metric),
        better_left=better.id if better is not None else None,
        better_value=value_of(better, metric) if better is not None else None,
    )


def _on_other_rows(chosen: CheckpointItem, items: Items, metric: str) -> CheckpointItem | None:
    """Return the best of its campaign's living history, where that was measured on other held-out rows."""
    mine = (chosen.hero_id, chosen.campaign_id)
    found = _best((one for one in _usable(items) if (one.hero_id, one.campaign_id) == mine), metric)
    is_other = is_of_held_out_rows(metric) and found is not None and found.measured_on != chosen.measured_on
    return found if is_other else None


def _ties(chosen: CheckpointItem, items: Items, metric: str) -> tuple[str, ...]:
    value, mine = value_of(chosen, metric), (chosen.hero_id, chosen.campaign_id)
    alike = [one for one in _usable(items) if (one.hero_id, one.campaign_id) == mine and one is not chosen]
    if is_of_held_out_rows(metric):
        alike = [one for one in alike if one.measured_on == chosen.measured_on]
    ties = [one for one in alike if value_of(one, metric) == value]
    return tuple(one.id for one in sorted(ties, key=lambda one: one.sequence or 0))


def value_of(item: CheckpointItem, metric: str) -> float | None:
    """Return a checkpoint's value of a metric; None where none, or none that is finite, was measured."""
    family, _, skill = metric.partition("/")
    found = item.skill_metrics.get(skill, {}).get(family) if skill else getattr(item, family, None)
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def summary(campaign: str, items: Items) -> SummaryItem:
    """Return what a campaign's checkpoints come to."""
    newest, lowest = latest(items), best(items, "val_loss")
    states: dict[str, int] = {}
    for item in items:
        states[item.state] = states.get(item.state, 0) + 1
    ours = [item for item in items if item.step is not None]
    there = [item for item in items if item.state not in ABSENT]
    return SummaryItem(
        id=campaign,
        num_checkpoints=len(there),
        states=states,
        size_bytes=sum(item.size_bytes for item in there),
        first_step=min((item.step for item in ours if item.step is not None), default=None),
        last_step=max((item.step for item in ours if item.step is not None), default=None),
        first_saved_at=min((item.timestamp for item in ours), default=None),
        last_saved_at=max((item.timestamp for item in ours), default=None),
        latest=newest.id if newest else None,
        best_val_loss=lowest.val_loss if lowest else None,
        best=lowest.id if lowest else None,
    )


def _usable(items: Items) -> Iterable[CheckpointItem]:
    return (item for item in items if item.state in _USABLE and item.is_living)


def _by_campaign(items: Items) -> list[tuple[str, list[CheckpointItem]]]:
    groups: dict[str, list[CheckpointItem]] = {}
    for item in items:
        groups.setdefault(f"{item.hero_id}/{item.campaign_id}", []).append(item)
    return sorted(groups.items())


def _one_each(
    items: Items, choose: Callable[[Items], CheckpointItem | None], absent: str
) -> tuple[CheckpointItem, ...]:
    chosen = [choose(of_it) for _, of_it in _by_campaign(items)]
    found = tuple(item for item in chosen if item is not None)
    if not found:
        raise NotFound(absent)
    return found


def _best_of_each(items: Items, metric: str) -> tuple[CheckpointItem, ...]:
    known = [*METRICS, *sorted({f"accuracy/{skill}" for item in items for skill in item.skill_metrics})]
    if metric not in known and (direction_of(metric) is None or "/" not in metric):
        near = nearest_name(metric, known)
        meant = f'; did you mean "{near}"?' if near else ""
        raise Misused(f'"{metric}" is no metric; known: {", ".join(known)}{meant}')
    have = [name for name in known if any(value_of(item, name) is not None for item in _usable(items))]
    absent = f"no complete checkpoint has {metric}; measured so far: {', '.join(have) or 'nothing'}"
    return _one_each(items, lambda of_it: best(of_it, metric), absent)


def _of_step(items: Items, step: int) -> tuple[CheckpointItem, ...]:
    found = tuple(item for item in items if item.step == step)
    if not found:
        steps = sorted(
            {item.step for item in items if item.step is not None}, key=lambda one: abs(one - step)
        )
        near = ", ".join(map(str, sorted(steps[:_MOST_STEPS]))) or "none yet"
        raise NotFound(f"there is no checkpoint at step {step}; the nearest: {near}")
    return found
