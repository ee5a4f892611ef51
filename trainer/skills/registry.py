"""The built-in skills: skill id → where its problems come from and how answers are judged."""

import difflib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from trainer.skills.bin import checker as bin_checker
from trainer.skills.bin import generator as bin_generator
from trainer.skills.bin.levels import MAX_LEVEL as BIN_MAX_LEVEL


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """One source of problems."""

    id: str
    max_level: int
    generate: Callable[[int, int, int], Iterator[dict[str, Any]]]
    """Level, count, seed → rows of a quest file, each difficulty as often as the level wants."""
    generate_evenly: Callable[[int, int, int], Iterator[dict[str, Any]]]
    """The same, each problem as often as any other where they can be listed."""
    problem_space: Callable[[int], tuple[bin_generator.GeneratedProblem, ...]]
    """Level → all its problems; ValueError where they cannot be listed."""
    answer_to: Callable[[str], str]
    """Prompt → the one right answer."""
    passes: Callable[[str, str], bool]
    """Response, expected pattern → right by the skill's own scoring rule?"""
    exact_match: Callable[[str, str], bool]
    """Response, answer → equal, white space at the ends apart?"""


SKILLS: dict[str, Skill] = {
    "bin": Skill(
        id="bin",
        max_level=BIN_MAX_LEVEL,
        generate=bin_generator.generate,
        generate_evenly=bin_generator.generate_evenly,
        problem_space=bin_generator.problem_space,
        answer_to=bin_checker.answer_to,
        passes=bin_checker.passes,
        exact_match=bin_checker.exact_match,
    )
}


class UnknownSkillError(Exception):
    """There is no built-in skill of that name."""


def find_skill(skill_id: str) -> Skill:
    """Return a built-in skill.

    Raises:
        UnknownSkillError: names the known ones and the nearest.
    """
    if skill_id in SKILLS:
        return SKILLS[skill_id]
    near = difflib.get_close_matches(skill_id, SKILLS, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UnknownSkillError(f"{skill_id!r} is not a built-in skill; known: {', '.join(sorted(SKILLS))}{hint}")
