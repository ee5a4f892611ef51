"""What is asked and what is answered: the result, then as much of the way to it as the difficulty wants."""

from trainer.skills.bin.expressions import Call, Step, literals, steps, write
from trainer.skills.bin.levels import SIGNALS, Difficulty
from trainer.skills.bin.notation import Notation
from trainer.skills.bin.operations import Result


def prompt_of(expression: Call, notation: Notation, difficulty: Difficulty) -> str:
    """Return the prompt: the key of the symbols if there are any, the signal, the expression."""
    signal = SIGNALS[difficulty]
    return f"{notation.key}Compute{f' [{signal}]' if signal else ''}: {write(expression, notation)}"


def answer_of(expression: Call, notation: Notation, difficulty: Difficulty) -> str:
    """Return the one right answer to the prompt of the same three things."""
    done = steps(expression)
    result = f"{write(expression, notation)} = {_write_result(done[-1], notation)}"
    match difficulty:
        case "easy":
            return result
        case "medium":
            return f"{result}\n\nVerification: {'; '.join(step.sentence for step in done)}"
        case "hard":
            return f"{result}\n\nWork: {'; '.join(_work(expression, done, notation))}"
        case "expert":
            lines = _trace(expression, done, notation)
            return f"{result}\n\nTrace:\n" + "\n".join(
                f"{n}. {line}" for n, line in enumerate(lines, start=1)
            )


def _write_result(step: Step, notation: Notation) -> str:
    if step.operation.writes_decimal:
        return str(step.result)
    return _binary(step.result, notation)


def _binary(result: Result, notation: Notation) -> str:
    return notation.number(result) if isinstance(result, int) else result


def _work(expression: Call, done: list[Step], notation: Notation) -> list[str]:
    """Return the numbers in decimal, each calculation with its sign rule, and the result in binary."""
    numbers = [f"{notation.number(number)} = {number}" for number in dict.fromkeys(literals(expression))]
    calculations = [text for step in done for text in (*_sign_rule(step), step.sentence)]
    last = done[-1].result
    return [
        *numbers,
        *calculations,
        *([f"{last} = {notation.number(last)}"] if isinstance(last, int) else []),
    ]


def _trace(expression: Call, done: list[Step], notation: Notation) -> list[str]:
    """Return the numbers with their place values, then each calculation with its result in binary."""
    numbers = [
        f"{notation.number(number)} = {_place_values(number)}"
        for number in dict.fromkeys(literals(expression))
    ]
    calculations = []
    for step in done:
        calculations += _sign_rule(step)
        in_binary = f" -> {notation.number(step.result)}" if isinstance(step.result, int) else ""
        calculations.append(step.sentence + in_binary)
    return [*numbers, *calculations]


def _place_values(number: int) -> str:
    """Return for example `4 + 1 = 5`, `-(4 + 1) = -5`, and `4` for a number with a single one."""
    size = abs(number)
    places = [2**place for place in range(size.bit_length() - 1, -1, -1) if size >> place & 1]
    if len(places) <= 1:
        return str(number)
    terms = " + ".join(map(str, places))
    return f"-({terms}) = {number}" if number < 0 else f"{terms} = {number}"


def _sign_rule(step: Step) -> list[str]:
    """Return the rule that decides the sign of a step, if one is needed."""
    if step.operation.name == "subtract_signed" and step.operands[1] < 0:
        return ["a - (-b) = a + b"]
    if step.operation.name == "multiply_signed" and min(step.operands) < 0 and 0 not in step.operands:
        signs = ["neg" if number < 0 else "pos" for number in step.operands]
        return [f"{signs[0]} x {signs[1]} = {'pos' if signs[0] == signs[1] else 'neg'}"]
    return []
