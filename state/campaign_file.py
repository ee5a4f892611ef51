"""`campaign.json`, under the field names of older systems: from the row, its card and the ledger. Pure.

Fields whose source does not exist yet are kept as they are read, else empty; they are never invented. Keys
that this version does not know survive at the end. The same inputs give the same bytes, so planning sees
drift by comparing.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import msgspec

from state.cards import CampaignCard, Milestone
from state.contract.goals import Goals, Reached, goal_reached
from state.examinations import Passed, accuracy, mastery, results_of
from state.formats import with_unknown_keys
from state.ids import checkpoint_folder
from state.store.rows import CampaignRow, LedgerRow, SegmentRow

_KEPT: dict[str, Any] = {"skill_effort": {}}
"""Fields that nothing decides yet: kept as they are read, else these."""
_NO_GOALS = Goals()


def campaign_record(
    card: CampaignCard,
    row: CampaignRow,
    ledger: Sequence[LedgerRow],
    existing: Mapping[str, Any],
    segments: Sequence[SegmentRow] = (),
) -> dict[str, Any]:
    """Return what campaign.json should say.

    `ledger` holds the campaign's rows in the order of recording; `existing` is what the file says now, empty
    when there is none. How segments began stands there, since no checkpoint says what asked for them.
    """
    hero, _, campaign = row.name.partition("/")
    newest = next((one for one in reversed(ledger) if one.damage is None and one.is_living), None)
    start = _start(row, existing)
    record = {
        "id": campaign,
        "hero_id": hero,
        "uid": row.uid,
        "name": card.name,
        "description": card.description,
        "created_at": row.created_at,
        "status": status_of(row, card.goal, newest),
        "starting_checkpoint": start["starting_checkpoint"],
        "starting_step": start["starting_step"],
        "current_step": start["starting_step"] if newest is None else newest.step,
        "total_examples": 0 if newest is None else newest.total_examples_trained,
        "skills_focus": list(card.skills_focus),
        "config_overrides": dict(card.config_overrides),
        "goal": _goal(card.goal),
        "code_version": row.code_version,
        "config_hash": row.config_hash,
        "specs_commit": row.specs_commit,
        "milestones": _milestones(card, ledger, existing),
        "peak_metrics": peak_metrics(ledger, existing.get("peak_metrics")),
        "parent_campaign": start["parent_campaign"],
        **_skills(ledger, existing),
        "archived_at": row.archived_at if row.status == "archived" else None,
        **{key: existing.get(key, default) for key, default in _KEPT.items()},
        **({"segments": [_segment(one) for one in segments]} if segments else {}),
    }
    return with_unknown_keys(record, existing)


def segments_of(record: Mapping[str, Any], uid: str) -> Iterator[SegmentRow]:
    """Yield what a campaign.json says of how segments began; what cannot be understood is left out."""
    said = record.get("segments")
    for one in said if isinstance(said, list) else ():
        try:
            fields = {**one, "campaign_uid": uid}
            yield msgspec.convert([fields[name] for name in SegmentRow.__struct_fields__], SegmentRow)
        except (TypeError, KeyError, msgspec.ValidationError):
            continue


def _segment(row: SegmentRow) -> dict[str, Any]:
    names = (name for name in SegmentRow.__struct_fields__ if name != "campaign_uid")
    return {name: getattr(row, name) for name in names}


def status_of(row: CampaignRow, goals: Goals, newest: LedgerRow | None) -> str:
    """Return active, paused, archived, or completed: paused with its goal reached."""
    if row.status != "paused" or newest is None:
        return row.status
    return "completed" if goal_reached(goals, reached_by(newest)) else "paused"


def reached_by(row: LedgerRow) -> Reached:
    """Return how far a campaign had come when this checkpoint was saved."""
    return Reached(updates=row.step, tokens=row.tokens_seen, quests=row.quests_done)


def peak_metrics(ledger: Sequence[LedgerRow], existing: Any) -> dict[str, float | None]:
    """Return the best of each metric over all that was saved. Never examined, the file's accuracy stays."""
    sound = [row for row in ledger if row.damage is None]
    known = existing.get("highest_accuracy") if isinstance(existing, Mapping) else None
    shares = [share for row in sound if row.skills_json and (share := accuracy(results_of(row))) is not None]
    return {
        "lowest_loss": _lowest([row.train_loss for row in sound]),
        "lowest_val_loss": _lowest([row.val_loss for row in sound]),
        "highest_accuracy": max(shares) if shares else known,
    }


def _skills(ledger: Sequence[LedgerRow], existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the levels that were mastered; as the file says where nothing was ever examined."""
    examined = [row for row in ledger if row.skills_json and row.damage is None]
    found = mastery(examined) if examined else {}
    if not found:
        return {
            "peak_skill_levels": existing.get("peak_skill_levels", {}),
            "level_transitions": existing.get("level_transitions", []),
        }
    passed = sorted((one for skill in found.values() for one in skill.passed), key=lambda one: one.step)
    return {
        "peak_skill_levels": {skill: one.mastered for skill, one in found.items()},
        "level_transitions": [_transition(one) for one in passed],
    }


def _transition(one: Passed) -> dict[str, Any]:
    """Return a gained level; what older systems counted beyond it is not known here."""
    return {
        "skill_id": one.skill,
        "from_level": one.from_level,
        "to_level": one.to_level,
        "effort_spent": None,
        "plastic_gain": None,
        "efficiency": None,
        "steps_taken": one.steps_taken,
        "timestamp": one.timestamp,
    }


def _lowest(values: Sequence[float | None]) -> float | None:
    return min([value for value in values if value is not None and isfinite(value)], default=None)


def _start(row: CampaignRow, existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the campaign began; what an older file says stands where the store knows nothing."""
    if row.starting_checkpoint is None:
        unknown = {"starting_checkpoint": None, "starting_step": 0, "parent_campaign": None}
        return {key: existing.get(key, default) for key, default in unknown.items()}
    if row.starting_checkpoint.startswith("/"):  # a folder of other software
        return {
            "starting_checkpoint": row.starting_checkpoint,
            "starting_step": row.starting_step,
            "parent_campaign": None,
        }
    hero, _, campaign = row.starting_checkpoint.partition("@")[0].partition("/")
    return {
        "starting_checkpoint": row.starting_checkpoint,
        "starting_step": row.starting_step,
        "parent_campaign": {
            "hero_id": hero,
            "campaign_id": campaign,
            "checkpoint": checkpoint_folder(row.starting_step),
            "step": row.starting_step,
        },
    }


def _goal(goals: Goals) -> dict[str, int] | None:
    if goals == _NO_GOALS:
        return None
    return {name: number for name, number in msgspec.to_builtins(goals).items() if number is not None}


def _milestones(
    card: CampaignCard, ledger: Sequence[LedgerRow], existing: Mapping[str, Any]
) -> list[dict[str, Any]]:
    if card.milestones is None:
        found = existing.get("milestones")
        return found if isinstance(found, list) else []
    living = [one for one in ledger if one.damage is None and one.is_living]
    return [_milestone(one, first_at_or_after(living, one.step)) for one in card.milestones]


def first_at_or_after(living: Sequence[LedgerRow], step: int) -> LedgerRow | None:
    """Return the checkpoint that stands for a milestone: of those at or after its step, the nearest."""
    later = (row for row in living if row.step >= step)
    return min(later, key=lambda row: (row.step, -row.sequence), default=None)


def _milestone(milestone: Milestone, row: LedgerRow | None) -> dict[str, Any]:
    metrics = None
    if row is not None:
        metrics = {"checkpoint_step": row.step, "train_loss": row.train_loss, "val_loss": row.val_loss}
    reached_at = row.timestamp if row is not None else None
    return {
        "step": milestone.step,
        "note": milestone.note,
        "date": milestone.date or reached_at,
        "metrics": metrics,
    }


def card_of(record: Mapping[str, Any]) -> CampaignCard:
    """Return the card that a campaign.json repeats, for a row of an older version, which has none.

    Raises:
        ValueError: the record has no such part.
    """
    names = ("name", "description", "skills_focus", "config_overrides")
    if missing := [name for name in names if name not in record]:
        raise ValueError(f"no {missing[0]!r} in the record")
    try:
        return msgspec.convert({name: record[name] for name in names}, CampaignCard)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
