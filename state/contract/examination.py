"""Examinations of a skill: which problems a checkpoint is asked, and how many it answered exactly.

The problems of a level are always the same ones: what a built-in skill makes for that level with one seed.
Their digest, and all else that a result depends on beside the weights, is its version: only results of one
version say anything about each other. A result counts for the level that it was of, and for no other.
"""

import msgspec

from state.canonical import sha256_of
from state.contract.numbers import Count

EXAMINER_VERSION = 1
"""Grows when the same answers would be counted otherwise."""
DEFAULT_SAMPLES, DEFAULT_SEED, DEFAULT_MAX_NEW_TOKENS = 5, 0, 256
DEFAULT_PASS_THRESHOLD, DEFAULT_OVER = 0.8, 3
DEFAULT_MAX_MINUTES = 10.0


class CutShort(msgspec.Struct, frozen=True, kw_only=True):
    """An examination that was ended before all problems were answered, so that it has no result."""

    skill: str
    level: int
    step: Count
    max_minutes: float


class SkillExam(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a skill is examined, as part of a run's config.

    What has a default came later: it is no part of the config's hash while it says nothing.
    """

    skill: str
    source: str
    """The built-in skill that makes the problems and knows the answers."""
    levels: tuple[int, ...]
    samples: int
    """Problems of each level."""
    seed: int
    max_new_tokens: int
    """An answer that is longer is wrong."""
    pass_threshold: float
    """Share of exact answers from which a level is mastered ..."""
    over: int
    """... on the average of so many examinations of that level, one after the other."""
    max_minutes: float = DEFAULT_MAX_MINUTES
    """All of its levels at one checkpoint; beyond that the checkpoint has no result, of any skill: an
    accuracy of what was answered in time would say something about the machine."""


class LevelResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one examination of one level came to."""

    skill: str
    level: int
    correct: Count
    total: Count
    version: str
    """`sha256:` and 64 hex digits."""
    pass_threshold: float
    over: int


def exam_version(
    exam: SkillExam, level: int, problems: tuple[tuple[str, str], ...], template: str, tokenizer: str
) -> str:
    """Return what names an examination of a level; the weights alone decide its result.

    `problems`: question and answer of each; `template`, `tokenizer`: their digests.
    """
    return sha256_of(
        {
            "examiner": EXAMINER_VERSION,
            "skill": exam.skill,
            "level": level,
            "seed": exam.seed,
            "problems": [list(problem) for problem in problems],
            "max_new_tokens": exam.max_new_tokens,
            "template": template,
            "tokenizer": tokenizer,
        }
    )
