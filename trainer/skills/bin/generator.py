"""Problems of a level: drawn one after the other from a seed, or, at level 1, all there are."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from trainer.skills.bin.answers import answer_of, prompt_of
from trainer.skills.bin.expressions import Call, Expression
from trainer.skills.bin.levels import DIFFICULTIES, SIGNALS, SYMBOL_PERCENT, Difficulty, Level, level_of
from trainer.skills.bin.notation import PLAIN, Notation
from trainer.skills.bin.operations import OPERATIONS, Operation
from trainer.skills.bin.symbols import draw_notation
from trainer.skills.draws import Draws

_RUBRICS: dict[Difficulty, str] = {
    "easy": "Give the result",
    "medium": "Include decimal verification",
    "hard": "Include the key computation steps",
    "expert": "Include the full step-by-step trace",
}
_CONVERSIONS = ("tobinary", "todecimal")
_BASIC = ("add", "subtract", "multiply")
_SIGNED_BASIC = ("add_signed", "subtract_signed", "multiply_signed")


class GeneratedProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem with its one right answer."""

    prompt: str
    answer: str
    level: int
    difficulty: Difficulty
    scenario: str
    tags: tuple[str, ...]

    def row(self, number: int) -> dict[str, Any]:
        """Return the row of a quest file, numbered from 1 within its batch."""
        return {
            "id": f"bin-{number:06d}",
            "skill": "binary",
            "level": self.level,
            "difficulty": self.difficulty,
            "scenario": self.scenario,
            "tags": list(self.tags),
            "rubric": _RUBRICS[self.difficulty],
            "messages": [
                {"role": "user", "content": self.prompt},
                {"role": "assistant", "content": self.answer},
            ],
        }


def generate(level: int, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a batch; a longer batch of the same level and seed starts with the shorter one.

    Raises:
        ValueError: there is no such level, or the count is negative.
    """
    if count < 0:
        raise ValueError(f"count is {count}; expected 0 or more")
    return (
        problem.row(number) for number, problem in enumerate(_problems(level_of(level), count, seed), start=1)
    )


def generate_evenly(level: int, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a batch in which each problem of the level comes as often as any other, or once more.

    Level 1 is dealt like cards, again and again, each time in another order. The other levels have too many
    problems to list: theirs are drawn as by `generate`.

    Raises:
        ValueError: there is no such level, or the count is negative.
    """
    if not level_of(level).is_smallest:
        return generate(level, count, seed)
    if count < 0:
        raise ValueError(f"count is {count}; expected 0 or more")
    return (problem.row(number) for number, problem in enumerate(islice(_dealt(level, seed), count), start=1))


def _dealt(level: int, seed: int) -> Iterator[GeneratedProblem]:
    draws = Draws(f"bin level {level} evenly seed {seed}")
    while True:
        left = list(problem_space(level))
        while left:
            yield left.pop(draws.below(len(left)))


def problem_space(level: int) -> tuple[GeneratedProblem, ...]:
    """Return every problem that `generate` can set at a level, each once, easy ones first.

    Raises:
        ValueError: the level is above 1: its chains and symbols have too many combinations to list.
    """
    chosen = level_of(level)
    if not chosen.is_smallest:
        raise ValueError(f"level {level} has too many problems to list; only those of level 1 can be listed")
    return tuple(
        _problem(chosen, difficulty, Call(operation, operands), PLAIN)
        for difficulty in DIFFICULTIES
        for operation in _single_operations(chosen, difficulty)
        for operands in operation.operands(chosen.max_unsigned)
    )


def _problems(level: Level, count: int, seed: int) -> Iterator[GeneratedProblem]:
    draws = Draws(f"bin level {level.number} seed {seed}")
    for _ in range(count):
        difficulty = _draw_difficulty(level, draws)
        with_symbols = level.has_symbols and draws.chance(SYMBOL_PERCENT)
        notation = draw_notation(draws) if with_symbols else PLAIN
        length = draws.between(*level.chain_lengths(difficulty))
        expression = (
            _draw_single(level, difficulty, draws) if length == 1 else _draw_chain(level, length, draws)
        )
        yield _problem(level, difficulty, expression, notation)


def _draw_difficulty(level: Level, draws: Draws) -> Difficulty:
    point = draws.below(100)
    for difficulty, share in zip(DIFFICULTIES, level.mix, strict=True):
        point -= share
        if point < 0:
            return difficulty
    raise AssertionError("the shares of a level make a hundred")


def _single_operations(level: Level, difficulty: Difficulty) -> list[Operation]:
    """Return the operations that a problem of one operation may ask for.

    A result and its conversions are easy; a conversion has nothing more to verify; work is shown where two
    numbers meet. Signs and comparisons begin with medium problems of level 2.
    """
    if difficulty in ("hard", "expert"):
        return _named(_BASIC if level.is_smallest else _BASIC + _SIGNED_BASIC)
    families = {"unsigned", "special", "conversion"}
    if difficulty == "medium":
        families = {"unsigned", "special"} | (set() if level.is_smallest else {"signed", "comparison"})
    return [each for each in OPERATIONS.values() if each.is_asked and each.family in families]


def _named(names: tuple[str, ...]) -> list[Operation]:
    return [OPERATIONS[name] for name in names]


def _draw_single(level: Level, difficulty: Difficulty, draws: Draws) -> Call:
    operation = draws.one_of(_single_operations(level, difficulty))
    return Call(operation, _draw_operands(operation, level, draws))


def _draw_operands(operation: Operation, level: Level, draws: Draws) -> tuple[int, ...]:
    largest = _largest(operation, level)
    low, high = operation.first(largest)
    if operation.name in ("multiply", "multiply_signed"):  # else one factor would nearly always be 0 or 1
        high = min(high, 2 ** ((level.bits + 1) // 2) - 1)
        low = -high if operation.has_signs else 0
    first = draws.between(low, high)
    if operation.second is None:
        return (first,)
    if operation.name == "equals" and draws.chance(50):
        return first, first
    second = draws.between(*operation.second(first, largest))
    return (second, first) if "multiply" in operation.name and draws.chance(50) else (first, second)


def _largest(operation: Operation, level: Level) -> int:
    return level.max_signed if operation.has_signs else level.max_unsigned


def _draw_chain(level: Level, length: int, draws: Draws) -> Call:
    """Return a chain of operations: each takes the result of the one inside it as its first operand."""
    families = {"signed"} if draws.chance(50) else {"unsigned", "special"}
    usable = [each for each in OPERATIONS.values() if each.is_asked and each.family in families]
    operation = draws.one_of(usable)
    operands: tuple[Expression, ...] = _draw_operands(operation, level, draws)
    expression, value = Call(operation, operands), _value(operation, operands)
    for _ in range(length - 1):
        operation = draws.one_of([each for each in usable if _takes(each, value, level)])
        second: tuple[int, ...] = ()
        if operation.second is not None:
            second = (draws.between(*operation.second(value, _largest(operation, level))),)
        expression, value = Call(operation, (expression, *second)), _value(operation, (value, *second))
    return expression


def _takes(operation: Operation, value: int, level: Level) -> bool:
    low, high = operation.first(_largest(operation, level))
    return low <= value <= high


def _value(operation: Operation, operands: tuple[Expression, ...]) -> int:
    result = operation.compute(*operands)
    assert isinstance(result, int), "the operations of a chain give numbers"  # noqa: S101 - our own invariant
    return result


def _problem(level: Level, difficulty: Difficulty, expression: Call, notation: Notation) -> GeneratedProblem:
    scenario, kind = _scenario(expression, difficulty)
    signal = SIGNALS[difficulty]
    tags = [kind, *([signal] if signal else []), difficulty, f"level-{level.number}"]
    return GeneratedProblem(
        prompt=prompt_of(expression, notation, difficulty),
        answer=answer_of(expression, notation, difficulty),
        level=level.number,
        difficulty=difficulty,
        scenario=scenario,
        tags=(*tags, "symbol-language") if notation.symbols else tuple(tags),
    )


def _scenario(expression: Call, difficulty: Difficulty) -> tuple[str, str]:
    """Return the scenario and the tag of its kind, in the words of the skill's own sets."""
    name = expression.operation.name
    is_chain = any(isinstance(operand, Call) for operand in expression.operands)
    kind = "chain" if is_chain else name.replace("_", "-")
    tag = "conversion" if name in _CONVERSIONS else kind
    if signal := SIGNALS[difficulty]:
        return f"{kind}-{signal}", tag
    return (f"{kind}-basic" if name in _BASIC else kind), tag
