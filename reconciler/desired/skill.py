"""`specs/skills/<id>.yaml`: something to learn, and the command that makes problems of it."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from reconciler.desired.base import Id, Json, Line, Name, Record, Spec
from reconciler.desired.places import Finding
from reconciler.desired.training import MAX_SEED


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
    """How it is examined. Nothing does it yet; `validate --data` looks for its problems in the rows."""

    samples_per_level: Annotated[int, Meta(gt=0)] | None = None
    """Problems of each level; 5 when absent."""
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] | None = None
    """Of those problems; 0 when absent."""
    pass_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Share of right answers from which a level is mastered."""
    over_evaluations: Annotated[int, Meta(gt=0)] | None = None
    """The mean over so many examinations counts."""


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


def check(skill: Skill) -> Iterator[Finding]:
    """Yield what is wrong between keys of a skill: nothing so far."""
    del skill
    yield from ()
