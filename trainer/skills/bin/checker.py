"""Right or wrong: the scoring rule of the skill's evaluation sets, and the stricter exact match."""

import re

from trainer.skills.bin.answers import answer_of
from trainer.skills.bin.parse import Problem

SCORING_RULE = "Response must contain the expected result pattern"
_ENDS_HERE = re.compile(r"$|\s|[.,](?![0-9])|[;:!?)\]}*`'\"]")


def answer_to(prompt: str) -> str:
    """Return the one right answer to a prompt, computed from its text alone.

    Raises:
        ProblemError: the text is no BIN problem.
        NoResultError: it asks for something that has no value.
    """
    problem = Problem(prompt)
    return answer_of(problem.expression, problem.notation, problem.difficulty)


def passes(response: str, expected: str) -> bool:
    """Does the response contain the expected result pattern?

    The pattern must end where it ends: `increment(①) = ①⓪` is not found in `increment(①) = ①⓪①`.
    """
    pattern = expected.strip()
    start = response.find(pattern) if pattern else -1
    while start >= 0:
        if _ENDS_HERE.match(response, start + len(pattern)):
            return True
        start = response.find(pattern, start + 1)
    return False


def exact_match(response: str, answer: str) -> bool:
    """Is the whole response the answer, white space at the ends apart?"""
    return response.strip() == answer.strip()
