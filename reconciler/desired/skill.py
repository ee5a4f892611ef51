"""`specs/skills/<id>.yaml`: something to learn, and the command that makes problems of it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta

from reconciler.desired.base import Id, Json, Line, Name, Record, Spec, is_known
from reconciler.desired.places import Finding
from reconciler.desired.training import MAX_SEED
from state.contract.examination import (
    DEFAULT_MAX_MINUTES,
    DEFAULT_MAX_NEW_TOKENS,
    DEFAULT_OVER,
    DEFAULT_PASS_THRESHOLD,
    DEFAULT_SAMPLES,
    DEFAULT_SEED,
    SkillExam,
)

ID_OF_ALIAS: Mapping[str, str] = MappingProxyType({"binary": "bin", "syllo": "sy"})
"""The longer names that people know some skills by."""


def skill_id(name: str | None) -> str | None:
    """Return the id that a name of a skill stands for; what is no alias is its own."""
    return ID_OF_ALIAS.get(name, name) if name is not None else None


class Source(Record, frozen=True, kw_only=True):
    """Where problems come from."""

    command: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=100)]
    """Program and arguments; no shell. `python` first means the interpreter that runs the reconciler."""


class SkillDisplay(Record, frozen=True, kw_only=True):
    """How the skill is shown."""

    icon: str | None = None
    """An emoji or a path."""
    color: str | None = None
    """#RRGGBB."""
    short_name: str | None = None
    """A few letters."""


class SkillEvaluation(Record, frozen=True, kw_only=True):
    """How it is examined by generation, in campaigns whose skills_focus names it, when a checkpoint is saved.

    `validate --data` looks for the problems in the rows that are trained.
    """

    levels: tuple[Annotated[int, Meta(ge=1, le=1000)], ...] = ()
    """Those that are examined; absent: none."""

    samples_per_level: Annotated[int, Meta(gt=0)] | None = None
    """Problems of each level; 5 when absent."""
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] | None = None
    """Of those problems; 0 when absent."""
    max_new_tokens: Annotated[int, Meta(gt=0, le=65_536)] | None = None
    """An answer that is longer is wrong; 256 when absent."""
    pass_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Share of exact answers from which a level is mastered; 0.8 when absent."""
    over_evaluations: Annotated[int, Meta(gt=0)] | None = None
    """The mean over the last so many examinations of that very level counts; 3 when absent."""
    max_minutes: Annotated[float, Meta(gt=0, le=10_080)] | None = None
    """Of all levels at one checkpoint; one that takes longer is ended, and told; 10 when absent."""


class Skill(Spec, frozen=True, kw_only=True):
    """Something to learn."""

    id: Id
    """Equals the file's name."""
    name: Line | None = None
    """For people."""
    description: str | None = None
    """For people."""
    display: SkillDisplay | None = None
    """How it is shown."""
    max_level: Annotated[int, Meta(ge=1, le=1000)]
    """The highest level."""
    source: Source | None = None
    """Absent: known by name, but no quest can be made from it."""
    evaluation: SkillEvaluation | None = None
    """How it is examined."""
    category: str | None = None
    """Older."""
    tags: tuple[str, ...] = ()
    """Older."""
    rpg_name: str | None = None
    """Older."""
    rpg_description: str | None = None
    """Older."""
    xp_multiplier: float | None = None
    """Older."""
    metrics: tuple[str, ...] = ()
    """Older."""
    primary_metric: str | None = None
    """Older."""
    passive_id: str | None = None
    """Older."""
    api: dict[str, Json] = msgspec.field(default_factory=dict)
    """Older: a server for problems, which this version does not call."""
    level_progression: dict[str, Json] = msgspec.field(default_factory=dict)
    """Older."""
    difficulty_system: dict[str, Json] = msgspec.field(default_factory=dict)
    """Older."""
    difficulty_distribution: dict[str, Json] = msgspec.field(default_factory=dict)
    """Older."""
    difficulty_tiers: Json = None
    """Older."""
    hint_types: Json = None
    """Older."""
    operations: Json = None
    """Older."""
    auxiliary_tasks: Json = None
    """Older."""
    symbol_language: Json = None
    """Older."""
    sign_rules: Json = None
    """Older."""
    output_schema: Json = None
    """Older."""
    training: Json = None
    """Older."""
    eval: Json = None
    """Older."""
    prompt_format: Json = None
    """Older."""
    accuracy_thresholds: dict[str, Json] = msgspec.field(default_factory=dict)
    """Older."""
    primitives: Json = None
    """Older."""


NUMBER_KEYS_UNDER = frozenset({"level_progression", "accuracy_thresholds"})


_GENERATE = ("-m", "trainer", "generate")
_WAYS = frozenset({"--evenly"})
"""Of drawing problems, which change neither what they are nor their answers."""


def built_in_source(skill: Skill) -> str | None:
    """Return the built-in skill that makes the problems, and so knows the answers; None of another source."""
    command = skill.source.command if skill.source and is_known(skill.source.command) else ()
    name = len(_GENERATE) + 1
    is_ours = command[1:name] == _GENERATE and len(command) > name and _WAYS.issuperset(command[name + 1 :])
    return command[name] if is_ours else None


def exam_of(skill: Skill) -> SkillExam | None:
    """Return how a skill is examined; None where its spec asks for no levels."""
    wanted, source = skill.evaluation, built_in_source(skill)
    if wanted is None or not wanted.levels or source is None:
        return None
    given = {
        "samples": (wanted.samples_per_level, DEFAULT_SAMPLES),
        "seed": (wanted.seed, DEFAULT_SEED),
        "max_new_tokens": (wanted.max_new_tokens, DEFAULT_MAX_NEW_TOKENS),
        "pass_threshold": (wanted.pass_threshold, DEFAULT_PASS_THRESHOLD),
        "over": (wanted.over_evaluations, DEFAULT_OVER),
        "max_minutes": (wanted.max_minutes, DEFAULT_MAX_MINUTES),
    }
    values = {name: default if value is None else value for name, (value, default) in given.items()}
    return msgspec.convert(
        {"skill": skill.id, "source": source, "levels": wanted.levels, **values}, SkillExam
    )


def examination_command(skill: Skill, level: int | None) -> tuple[str, ...]:
    """Return what makes the problems that a level is examined with; empty: there are none."""
    wanted = skill.evaluation
    if (
        wanted is None
        or skill.source is None
        or level is None
        or (wanted.levels and level not in wanted.levels)
    ):
        return ()
    samples = wanted.samples_per_level or DEFAULT_SAMPLES
    numbers = (("--level", level), ("--count", samples), ("--seed", wanted.seed or DEFAULT_SEED))
    return (*skill.source.command, *(word for name, number in numbers for word in (name, str(number))))


def check(skill: Skill) -> Iterator[Finding]:
    """Yield what is wrong between keys of a skill."""
    if is_known(skill.id) and skill.id in ID_OF_ALIAS:
        message = f'"{skill.id}" is another name of skill {ID_OF_ALIAS[skill.id]}'
        yield Finding(at=("id",), message=message, hint="give it an id of its own")
    if not is_known(skill.evaluation) or skill.evaluation is None or not is_known(skill.source):
        return
    levels = skill.evaluation.levels
    if levels and built_in_source(skill) is None:
        message = "only a skill whose problems this software makes can be examined: it knows the answers"
        hint = "source: {command: [python, -m, trainer, generate, bin]}; or remove levels"
        yield Finding(at=("evaluation", "levels"), on_key=True, message=message, hint=hint)
    for place, level in enumerate(levels):
        at = ("evaluation", "levels", place)
        if level in levels[:place]:
            yield Finding(at=at, message=f"{level} stands here twice", hint="remove one of them")
        elif is_known(skill.max_level) and level > skill.max_level:
            message = f"{level} is above max_level, which is {skill.max_level}"
            yield Finding(at=at, message=message, hint=f"levels are 1 to {skill.max_level}")
