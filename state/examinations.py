"""What examinations say of a campaign: accuracies, mastered levels, statistics. Pure functions of its ledger.

A result counts for the level that it was of and for no other, and only results of one version (the same
problems, template and tokenizer) are compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from state.contract.examination import LevelResult
from state.store.rows import LedgerRow

_RESULTS = msgspec.json.Decoder(tuple[LevelResult, ...])


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A level that was mastered."""

    skill: str
    from_level: int
    to_level: int
    step: int
    steps_taken: int
    """Since the level before, or since the weights began."""
    timestamp: str


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One examination of one level, with what was mastered then."""

    result: LevelResult
    step: int
    timestamp: str
    mastered: int
    """After it."""


class Mastery(msgspec.Struct, frozen=True, kw_only=True):
    """How far a campaign has come in one skill."""

    mastered: int
    """The highest level up to which every examined level is mastered; 0: none."""
    training: int
    """The level to be learnt now: the lowest examined one that is not mastered, else the one after."""
    passed: tuple[Passed, ...]
    history: tuple[Examined, ...]


def results_of(row: LedgerRow) -> tuple[LevelResult, ...]:
    """Return what the examinations of a checkpoint came to."""
    return _RESULTS.decode(row.skills_json) if row.skills_json else ()


def accuracy(results: Iterable[LevelResult]) -> float | None:
    """Return the share of problems that were answered exactly, 0 to 1; None without any."""
    counted = [(one.correct, one.total) for one in results]
    total = sum(number for _, number in counted)
    return sum(number for number, _ in counted) / total if total else None


def accuracies(row: LedgerRow, compared_with: Mapping[str, frozenset[str]]) -> dict[str, float | None]:
    """Return `accuracy` and `accuracy/<skill>` of a checkpoint.

    None where it was examined otherwise than `compared_with` says (skill → versions), or not at all.
    """
    by_skill: dict[str, list[LevelResult]] = {}
    for result in results_of(row):
        by_skill.setdefault(result.skill, []).append(result)
    same = {
        skill: results
        for skill, results in by_skill.items()
        if frozenset(one.version for one in results) == compared_with.get(skill)
    }
    is_whole = bool(same) and same.keys() == compared_with.keys()
    every = (one for results in same.values() for one in results)
    found: dict[str, float | None] = {"accuracy": accuracy(every) if is_whole else None}
    return found | {f"accuracy/{skill}": accuracy(results) for skill, results in same.items()}


def versions_now(ledger: Sequence[LedgerRow]) -> dict[str, frozenset[str]]:
    """Return skill → the versions of its newest examination: what older ones are compared with.

    `ledger` holds a campaign's rows in the order of recording.
    """
    newest = next((row for row in reversed(ledger) if row.skills_json), None)
    found: dict[str, set[str]] = {}
    for result in results_of(newest) if newest else ():
        found.setdefault(result.skill, set()).add(result.version)
    return {skill: frozenset(versions) for skill, versions in found.items()}


def mastery(ledger: Sequence[LedgerRow]) -> dict[str, Mastery]:
    """Return skill → how far the campaign has come in it.

    A level is mastered once the last `over` examinations of that very level, all of one version, have an
    average of at least `pass_threshold`; it stays mastered.
    """
    examined = [row for row in ledger if row.skills_json]
    skills = sorted({result.skill for row in examined for result in results_of(row)})
    return {skill: _mastery(skill, examined) for skill in skills}


def _mastery(skill: str, ledger: Sequence[LedgerRow]) -> Mastery:
    counts: dict[tuple[int, str], list[LevelResult]] = {}
    done: set[int] = set()
    seen: set[int] = set()
    history: list[Examined] = []
    passed: list[Passed] = []
    for row in ledger:
        for result in (one for one in results_of(row) if one.skill == skill):
            seen.add(result.level)
            of_level = counts.setdefault((result.level, result.version), [])
            of_level.append(result)
            before = _highest(seen, done)
            if _is_mastered(of_level):
                done.add(result.level)
            now = _highest(seen, done)
            history.append(Examined(result=result, step=row.step, timestamp=row.timestamp, mastered=now))
            if now > before:
                passed.append(_passed(skill, row, before, now, passed))
    mastered = _highest(seen, done)
    return Mastery(
        mastered=mastered,
        training=min(seen - done, default=mastered + 1),
        passed=tuple(passed),
        history=tuple(history),
    )


def _is_mastered(of_level: Sequence[LevelResult]) -> bool:
    """Is the average of the last examinations of one level high enough? Counted, so that 12 of 15 are 0.8."""
    newest = of_level[-1]
    last = of_level[-newest.over :]
    return len(last) == newest.over and (accuracy(last) or 0.0) >= newest.pass_threshold


def _highest(seen: set[int], done: set[int]) -> int:
    """Return the highest level that is mastered with all examined ones below it; 0: none."""
    lowest_missing = min(seen - done, default=None)
    return max((level for level in done if lowest_missing is None or level < lowest_missing), default=0)


def _passed(skill: str, row: LedgerRow, before: int, now: int, earlier: Sequence[Passed]) -> Passed:
    began = earlier[-1].step if earlier else 0
    return Passed(
        skill=skill,
        from_level=before,
        to_level=now,
        step=row.step,
        steps_taken=row.step - began,
        timestamp=row.timestamp,
    )


def curriculum_state(
    ledger: Sequence[LedgerRow], created_at: str, existing: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what curriculum_state.json should say, under the names of older systems.

    What the `existing` file says of skills that were never examined here stays.
    """
    found = mastery([row for row in ledger if row.damage is None])
    newest = next((row for row in reversed(ledger) if row.skills_json), None)
    earlier = existing.get("skills")
    record = {
        "skills": {
            **(earlier if isinstance(earlier, dict) else {}),
            **{skill: _skill_state(one) for skill, one in found.items()},
        },
        "active_skill": next(iter(found), None),
        "started_at": created_at,
        "last_updated": newest.timestamp if newest else created_at,
        "skill_rotation": {"enabled": len(found) > 1, "skills": list(found), "index": 0},
    }
    return {**existing, **record}


_HISTORY = 100
"""Older systems kept so many."""


def _skill_state(one: Mastery) -> dict[str, Any]:
    return {
        "current_level": one.mastered,
        "training_level": one.training,
        "mastered_level": one.mastered,
        "accuracy_history": [
            {
                "step": seen.step,
                "accuracy": seen.result.correct / seen.result.total,
                "training_level": seen.result.level,
                "mastered_level": seen.mastered,
                "timestamp": seen.timestamp,
                "metadata": {
                    "level": seen.result.level,
                    "problems": seen.result.total,
                    "correct": seen.result.correct,
                },
            }
            for seen in one.history[-_HISTORY:]
        ],
        "progression_history": [
            {
                "earned_level": step.to_level,
                "old_mastered": step.from_level,
                "new_mastered": step.to_level,
                "timestamp": step.timestamp,
            }
            for step in one.passed
        ],
    }


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as a role-playing game shows it; None where nothing was measured."""

    level: int
    """A thousand steps each."""
    xp: int
    """Steps."""
    atk: float | None
    """One over the training loss."""
    defense: float | None = msgspec.field(name="def")
    """One over the held-out loss."""
    acc: float | None
    """Share of exact answers in the newest examinations."""
    gold: int
    """A hundred for each quest learnt to the end."""


_STEPS_PER_LEVEL, _GOLD_PER_QUEST = 1000, 100


def statistics(ledger: Sequence[LedgerRow]) -> Statistics:
    """Return the statistics of a campaign from its rows, in the order of recording."""
    sound = [row for row in ledger if row.damage is None]
    newest = sound[-1] if sound else None
    measured = next((row.val_loss for row in reversed(sound) if row.val_loss is not None), None)
    examined = next((row for row in reversed(sound) if row.skills_json), None)
    steps = newest.step if newest else 0
    return Statistics(
        level=steps // _STEPS_PER_LEVEL,
        xp=steps,
        atk=_over(newest.train_loss if newest else None),
        defense=_over(measured),
        acc=accuracy(results_of(examined)) if examined else None,
        gold=(newest.quests_done if newest else 0) * _GOLD_PER_QUEST,
    )


def _over(loss: float | None) -> float | None:
    return 1 / loss if loss else None
