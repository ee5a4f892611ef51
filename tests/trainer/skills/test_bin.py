"""BIN: the generator, the evaluator and the checker agree with each other and with the skill's own sets."""

import hashlib
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.skills.bin.checker import answer_to, exact_match, passes
from trainer.skills.bin.expressions import NoResultError
from trainer.skills.bin.generator import generate, problem_space
from trainer.skills.bin.levels import DIFFICULTIES, level_of
from trainer.skills.bin.parse import ProblemError
from trainer.skills.registry import UnknownSkillError, find_skill


def prompts(level: int, count: int, seed: int = 1) -> list[str]:
    return [row["messages"][0]["content"] for row in generate(level, count, seed)]


def test_every_item_of_the_skills_own_sets_is_answered_as_expected(cases):
    files = sorted((cases / "skill-evals" / "bin").glob("level_*.json"))
    items = [item for file in files for item in json.loads(file.read_text())["problems"]]
    assert len(items) == 40
    for item in items:
        answer = answer_to(item["prompt"])
        assert answer == item["expected"]
        assert passes(answer, item["expected"])
        assert not passes(answer + "x", item["expected"])


def test_levels_and_rows_use_the_words_of_the_skills_own_sets(cases):
    files = sorted((cases / "skill-evals" / "bin").glob("level_*.json"))
    sets = [json.loads(file.read_text()) for file in files]
    assert [level_of(each["level"]).bits for each in sets] == [each["bits"] for each in sets]
    theirs = {
        (p["metadata"]["scenario"], p["metadata"]["tags"][0]) for each in sets for p in each["problems"]
    }
    ours = {(row["scenario"], row["tags"][0]) for row in generate(8, 2000, 0)}
    assert theirs <= ours


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Compute: add(①⓪, ①)", "add(①⓪, ①) = ①①"),
        ("Compute: subtract(①, ①)", "subtract(①, ①) = ⓪"),
        ("Compute: tobinary(10)", "tobinary(10) = ①⓪①⓪"),
        ("Compute: todecimal(①⓪①⓪)", "todecimal(①⓪①⓪) = 10"),
        ("Compute: divide(①①①, ①⓪)", "divide(①①①, ①⓪) = ①①"),
        ("Compute: sign_of(-①)", "sign_of(-①) = negative"),
        ("Compute: add(⓪①, ①)", "add(①, ①) = ①⓪"),
        ("Compute [verify]: divide_by_2(①①)", "divide_by_2(①①) = ①\n\nVerification: 3 = 2 x 1 + 1"),
        ("Compute [verify]: lessthan(①, ①⓪)", "lessthan(①, ①⓪) = true\n\nVerification: 1 < 2 is true"),
        (
            "Compute [verify]: subtract_signed(①⓪①, -①①)",
            "subtract_signed(①⓪①, -①①) = ①⓪⓪⓪\n\nVerification: 5 - (-3) = 8",
        ),
        (
            "Compute [show-work]: multiply_signed(-①①, -①⓪)",
            "multiply_signed(-①①, -①⓪) = ①①⓪\n\n"
            "Work: -①① = -3; -①⓪ = -2; neg x neg = pos; (-3) x (-2) = 6; 6 = ①①⓪",
        ),
        (
            "Compute [trace]: add(increment(①①), ①)",
            "add(increment(①①), ①) = ①⓪①\n\n"
            "Trace:\n1. ①① = 2 + 1 = 3\n2. ① = 1\n3. 3 + 1 = 4 -> ①⓪⓪\n4. 4 + 1 = 5 -> ①⓪①",
        ),
        (
            "Symbol Key:\n  moon = 0 (zero bit)\n  sun = 1 (one bit)\n  sum = add\n"
            "Compute: sum(sun-moon-sun, sun-sun)",
            "sum(sun-moon-sun, sun-sun) = sun-moon-moon-moon",
        ),
        (
            "Symbol Key:\n  🔻 = 0 (zero bit)\n  🔺 = 1 (one bit)\n\nOperations:\n"
            "  ⬇️ = decrement\n  ⬇️ = minimum\n\nCompute: ⬇️(🔺🔻, 🔺)",
            "⬇️(🔺🔻, 🔺) = 🔺",
        ),
    ],
)
def test_a_prompt_has_this_answer(prompt, answer):
    assert answer_to(prompt) == answer


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "expected `Compute"),
        ("What is 1 + 1?", "expected `Compute"),
        (
            "Compute [loudly]: add(①, ①)",
            r"unknown signal \[loudly\]; expected one of verify, show-work, trace",
        ),
        ("Compute: sum(①, ①)", "unknown operation 'sum'; known: absolute_value, add"),
        ("Compute: add(①, 2)", "'2' is not a number in ⓪ and ①"),
        ("Compute: tobinary(①)", "'①' is not a decimal number"),
        ("Compute: add(①)", "'add' with 1 operands could not be read as add"),
        ("Compute: add(①, ①", "expected `,` or `\\)` after operand 2"),
        ("Compute: add(①, ①) ①", "'①' follows the end"),
        ("Compute: ①①", "a number alone"),
        ("Compute: " + "increment(" * 50 + "①" + ")" * 50, "nested more than 32 deep"),
        ("Symbol Key:\n  a = 0 (zero bit)\n\nCompute: add(①, ①)", "does not say what the digits"),
    ],
)
def test_what_is_no_problem_is_refused_with_the_part_that_is_wrong(prompt, message):
    with pytest.raises(ProblemError, match=message):
        answer_to(prompt)


@pytest.mark.parametrize("prompt", ["Compute: divide(①, ⓪)", "Compute: add(equals(①, ①), ①)"])
def test_an_expression_without_a_value_is_refused(prompt):
    with pytest.raises(NoResultError, match=r"divide by zero|add of true, which is no number"):
        answer_to(prompt)


@pytest.mark.parametrize("level", [1, 2, 7, 8, 15, 29, 30])
def test_the_evaluator_answers_every_generated_prompt_as_the_generator_does(level):
    for row in generate(level, 300, 3):
        prompt, answer = (message["content"] for message in row["messages"])
        assert answer_to(prompt) == answer
        assert passes(answer, answer.partition("\n")[0])  # `op(args) = result`


def test_level_1_has_160_problems_and_the_generator_sets_exactly_these():
    space = problem_space(1)
    assert Counter(problem.difficulty for problem in space) == {
        "easy": 52,
        "medium": 44,
        "hard": 32,
        "expert": 32,
    }
    assert len({problem.prompt for problem in space}) == 160
    assert set(prompts(1, 20_000)) == {problem.prompt for problem in space}


def test_the_documents_of_level_1_are_short():
    assert max(len((problem.prompt + problem.answer).encode()) for problem in problem_space(1)) <= 140


def test_a_larger_level_is_not_listed():
    with pytest.raises(ValueError, match=r"level 2 has too many problems to list; only those of level 1"):
        problem_space(2)


@pytest.mark.parametrize("level", [1, 6, 11, 16, 21, 26])
def test_the_difficulties_come_in_the_shares_of_the_level(level):
    seen = Counter(row["difficulty"] for row in generate(level, 6000, 5))
    for difficulty, share in zip(DIFFICULTIES, level_of(level).mix, strict=True):
        assert abs(seen[difficulty] / 60 - share) < 2.5


@pytest.mark.parametrize(("level", "least", "most"), [(7, 0, 0), (8, 70, 80), (30, 70, 80)])
def test_three_quarters_of_the_problems_have_symbols_from_level_8_on(level, least, most):
    with_symbols = sum("symbol-language" in row["tags"] for row in generate(level, 2000, 5))
    assert least <= with_symbols / 20 <= most


def test_within_one_key_a_symbol_means_one_thing():
    for prompt in prompts(20, 300):
        symbols = [line.split(" = ")[0] for line in prompt.splitlines() if " = " in line]
        assert len(symbols) == len(set(symbols))


@given(level=st.integers(1, 30), seed=st.integers(0, 2**70), count=st.integers(0, 12))
def test_a_longer_batch_starts_with_the_shorter_one(level, seed, count):
    assert list(generate(level, count, seed)) == list(generate(level, count + 3, seed))[:count]


def test_the_same_seed_gives_the_same_rows_on_every_machine():
    rows = json.dumps(list(generate(1, 50, 7)) + list(generate(30, 50, 7)), ensure_ascii=False)
    assert (
        hashlib.sha256(rows.encode()).hexdigest()
        == "9297956cef191e339a1a80216217f0ff9b4f89e2221be9fb4c447e97e7a807f0"
    )
    assert prompts(1, 20, seed=1) != prompts(1, 20, seed=2)


@pytest.mark.parametrize(
    ("response", "is_right"),
    [
        ("increment(①) = ①⓪", True),
        ("Sure: increment(①) = ①⓪.", True),
        ("`increment(①) = ①⓪`, as asked", True),
        ("increment(①) = ①⓪①", False),
        ("increment(①) = ①", False),
        ("increment(①) = ①⓪①, no: increment(①) = ①⓪", True),
        ("", False),
    ],
)
def test_the_scoring_rule_wants_the_pattern_and_its_end(response, is_right):
    assert passes(response, "increment(①) = ①⓪") is is_right


def test_a_decimal_result_ends_where_it_ends():
    assert passes("todecimal(①) = 1.", "todecimal(①) = 1")
    assert not passes("todecimal(①) = 10", "todecimal(①) = 1")
    assert not passes("todecimal(①) = 1.5", "todecimal(①) = 1")


def test_an_exact_match_is_the_whole_answer_but_for_space_at_the_ends():
    assert exact_match(" increment(①) = ①⓪\n", "increment(①) = ①⓪")
    assert not exact_match("It is increment(①) = ①⓪", "increment(①) = ①⓪")


def test_an_unknown_skill_is_refused_with_the_nearest():
    with pytest.raises(
        UnknownSkillError, match="'binn' is not a built-in skill; known: bin; did you mean 'bin'"
    ):
        find_skill("binn")
    with pytest.raises(ValueError, match="level 31 does not exist; bin has levels 1 to 30"):
        list(find_skill("bin").generate(31, 1, 0))
