"""A row for each finding of the data gate, as `validate --data` tells it: check, row, found, expected, advice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from click.testing import Result

from state.contract.inspection import Check

Rows = list[dict[str, Any]]
WORDS = " ".join(f"word{number * 7919 % 1000}" for number in range(80))
"""A question long enough to be compared; the same words but one are nearly the same question."""
HELD_OUT = "held_out: {file: test.jsonl, fields: {prompt: prompt, completion: completion}}"


def asked(question: str, answer: str = "y") -> dict[str, Any]:
    return {"prompt": question, "completion": answer}


def spoken(*roles: str) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": f"text {n}"} for n, role in enumerate(roles)]}


def a_conversation(*said: str) -> dict[str, Any]:
    roles = ("user", "assistant") * len(said)
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]}


def many(number: int) -> Rows:
    """Return rows that have nothing in common that a check would name."""
    return [asked(f"how much is {n} and {n * 7}?", f"it is {n * 8}") for n in range(number)]


class Case(NamedTuple):
    check: Check
    rows: Rows
    told: str
    is_error: bool = False
    depth: str = "standard"
    held_out: str = "held_out: 0"
    kind: str | None = None
    """Of the dataset that the file is declared as; None: recognised by its keys."""


CASES = {
    "a missing field": Case(
        "shape",
        [*many(2), {"prompt": "a"}],
        'row 3: there is no field "completion"; expected the fields "prompt" and "completion", as text that is '
        "not empty.",
        is_error=True,
    ),
    "an empty answer": Case(
        "shape", [*many(1), asked("a", "")], 'row 2: field "completion" is empty; expected', is_error=True
    ),
    "a row that is left out": Case(
        "left_out",
        [*many(30), asked("a", "")],
        'row 31: field "completion" is empty; expected the fields "prompt" and "completion", as text that is not '
        "empty. It is left out, as max_invalid_fraction of dataset pages allows; mended it is learnt.",
        kind="prompt_completion, max_invalid_fraction: 0.1",
    ),
    "two questions in a row": Case(
        "roles",
        [spoken("user", "assistant"), spoken("user", "user", "assistant")],
        "row 2: messages 1 and 2 are both the user's; expected user and assistant in turn. Join them, or add "
        "what is missing.",
    ),
    "a lost character": Case(
        "encoding",
        [*many(2), asked("caf\ufffd")],
        "row 3: U+FFFD at character 4: a character was lost when the text was converted; expected the "
        "character itself. Convert the original again.",
    ),
    "a text in the wrong encoding": Case(
        "encoding",
        [asked("cafÃ©")],
        'row 1: "Ã©" at character 4; expected "é": the text was read in the wrong',
    ),
    "a row that is too long": Case(
        "length",
        [*many(2), asked("x" * 300)],
        "row 3: 322 tokens; expected at most 300 (max_length). Split the row or raise max_length.",
        is_error=True,
    ),
    "the same row twice": Case(
        "duplicate",
        [*many(3), *many(1)],
        "row 4: the same as row 1; expected each row once. Remove it, or raise epochs to train all rows more "
        "often.",
    ),
    "nearly the same row": Case(
        "near_duplicate",
        [*many(2), asked(WORDS[:200], "a"), asked(WORDS[:190] + "otherwise", "a")],
        "of it stands in row 3; expected rows that differ. Remove one of the two.",
        depth="deep",
    ),
    "a row of the held-out file": Case(
        "leakage",
        [*many(2), asked("what is measured?", "m")],
        "row 3: it is row 1 of the held-out file test.jsonl; expected other rows than those that measure. "
        "Remove it from one of the two files.",
        held_out=HELD_OUT,
    ),
    "a question of the held-out file": Case(
        "leakage",
        [*many(2), asked("What  is measured?", "another answer")],
        "row 3: it asks the same as row 1 of the held-out file test.jsonl; expected other rows than those that "
        "measure. Remove it from one of the two, or allow it by name: allow_leakage: {held-out: <why>}.",
        is_error=True,
        held_out=HELD_OUT,
    ),
    "a question of the held-out file, written otherwise": Case(
        "leakage",
        [*many(2), asked("Ｗhat\u200b  is measured", "another answer")],
        "row 3: it asks the same as row 1 of the held-out file test.jsonl; expected other rows than those that "
        "measure. Remove it from one of the two, or allow it by name: allow_leakage: {held-out: <why>}.",
        is_error=True,
        held_out=HELD_OUT,
    ),
    "a question of the held-out file in a conversation": Case(
        "leakage",
        [spoken("user", "assistant"), a_conversation("hi", "hello", "And what about is 7 prime?", "yes")],
        "row 2: question 2 of it is that of row 3 of the held-out file test.jsonl; expected other rows than "
        "those that measure.",
        is_error=True,
        held_out=HELD_OUT,
    ),
    "a question of the held-out file in the same words": Case(
        "leakage",
        [*many(2), asked('and what about "is 7 prime"', "yes")],
        "row 3: it asks in the same words as row 3 of the held-out file test.jsonl; expected other rows than "
        "those that measure. Remove it from one of the two files.",
        depth="deep",
        held_out=HELD_OUT,
    ),
    "nearly a question of the held-out file": Case(
        "leakage",
        [*many(2), asked(WORDS[:190] + "otherwise", "a")],
        "the same as row 2 of the held-out file test.jsonl; expected other rows than those that measure.",
        depth="deep",
        held_out=HELD_OUT,
    ),
    "every row held out": Case(
        "held_out",
        [asked("what is measured?", "m")],
        "every row is held out; expected at least one to train on. Lower held_out or add rows.",
        is_error=True,
        held_out=HELD_OUT,
    ),
    "too few rows to measure with": Case(
        "held_out",
        many(20),
        "0.001 leaves 0 of 20 rows to measure with; expected more than 2.",
        held_out="held_out: 0.001",
    ),
    "a conversation without an answer": Case(
        "shape",
        [spoken("user", "assistant"), spoken("user")],
        "row 2: no assistant message; expected at least one, to be learnt.",
        is_error=True,
    ),
    "a row of which nothing is learnt": Case(
        "masked",
        [{"text": "a whole page"}, {"text": "a"}],
        "row 2: nothing to learn; expected an answer of at least one token. Fill it or remove the row.",
        is_error=True,
        kind="text",
    ),
    "a file of which next to nothing is learnt": Case(
        "masked_share",
        [asked(f"{n:0200}", "a") for n in range(20)],
        "99.1% of the tokens carry no loss; expected 30% to 85%, as is usual. Shorten the questions, or look "
        "whether the answers are whole.",
    ),
    "an answer that goes round in circles": Case(
        "repetition",
        [*many(2), asked("tell me", "and so " * 35)],
        "row 3: what is learnt says the same again and again; expected text that goes on. Cut it or remove the "
        "row.",
    ),
    "one answer to everything": Case(
        "repetition",
        [asked(f"is {n} right?", "yes") for n in range(30)],
        '30 of 30 rows have the answer "yes"; expected answers that differ. Mix in other rows, if this is not '
        "meant.",
    ),
}


@pytest.fixture
def told_of(run: Callable[..., Result], lab: Path) -> Callable[[Case], Result]:
    """Declare a case's rows as the only quest and look through them."""

    def look(case: Case) -> Result:
        (lab / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in case.rows))
        measured = [
            asked("what is measured?", "m"),
            asked(WORDS[:200], "secret"),
            asked("And what about is 7 prime?"),
        ]
        (lab / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in measured))
        dataset = ", dataset: pages" if case.kind else ""
        (lab / "specs/datasets").mkdir(exist_ok=True)
        if case.kind:
            (lab / "specs/datasets/pages.yaml").write_text(f"{{id: pages, kind: {case.kind}}}\n")
        (lab / "specs/queue.yaml").write_text(f"quests:\n  - {{id: sums, file: rows.jsonl{dataset}}}\n")
        hero, realm = lab / "specs/heroes/pip.yaml", lab / "specs/realm.yaml"
        hero.write_text(hero.read_text().replace("max_length: 256", "max_length: 300"))
        realm.write_text(f"{realm.read_text()}defaults: {{evaluation: {{{case.held_out}}}}}\n")
        return run("validate", "--data", "--depth", case.depth)

    return look


@pytest.mark.train
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_finding_names_its_check_its_row_and_what_to_do(
    told_of: Callable[[Case], Result], case: Case
) -> None:
    pytest.importorskip("tokenizers")
    done = told_of(case)
    told = " ".join(done.stdout.split())
    kind = "error" if case.is_error else "warning"
    assert f"{kind}: {case.check}: " in told
    assert case.told in told
    assert done.exit_code == (1 if case.is_error else 0)


NO_END = "{% for message in messages %}{{ message.content }}{% endfor %}"
REFUSES = "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}"
TEMPLATES = {
    "without an assistant span": (
        NO_END,
        "the chat template closes message 2 with no special token of the tokenizer; expected one, so that the "
        "model learns where to stop. Use the template that belongs to the tokenizer.",
    ),
    "that refuses the row": (REFUSES, "the chat template refuses the conversation: one turn only"),
    "that calls itself": (
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "the chat template fails: it calls itself without end",
    ),
    "that makes a text without end": (
        "{{ 'x' * 100000000000 }}",
        "the chat template refuses the conversation: a product in it is larger than",
    ),
}


@pytest.mark.train
@pytest.mark.parametrize(("template", "told"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_that_cannot_be_learnt_from_is_an_error_of_each_row(
    told_of: Callable[[Case], Result], lab: Path, tmp_path: Path, template: str, told: str
) -> None:
    pytest.importorskip("transformers")
    a_hero_of(lab, tmp_path / "model", template, "chat: {template: default}")
    done = told_of(Case("template", many(2), told))
    said = " ".join(done.stdout.split())
    assert f"error: template: row 1: {told}" in said
    assert f"error: template: row 2: {told}" in said or "also row 2" in said
    assert done.exit_code == 1


@pytest.mark.train
@pytest.mark.parametrize(("chat", "is_told"), [("", True), ("chat: {template: chatml}", False)])
def test_a_model_with_a_chat_template_of_its_own_is_told_unless_the_spec_says_which_is_meant(
    told_of: Callable[[Case], Result], lab: Path, tmp_path: Path, chat: str, is_told: bool
) -> None:
    pytest.importorskip("transformers")
    a_hero_of(lab, tmp_path / "model", NO_END, chat)
    done = told_of(Case("template", many(2), ""))
    assert done.exit_code == 0
    told = (
        "hero/pip: the model brings a chat template of its own, and chatml is used, since the spec names none"
    )
    assert (told in " ".join(done.stdout.split())) == is_told


def a_hero_of(lab: Path, folder: Path, template: str, chat: str) -> None:
    """Let pip be of a model whose own chat template is this one; `chat`: a line of its spec."""
    a_model(folder, template)
    hero = (lab / "specs/heroes/pip.yaml").read_text().splitlines()
    model = f"model: {{hf_name: {folder}, family: qwen3, architecture: Qwen3ForCausalLM,"
    hero[1:3] = [f"{model} vocab_size: 320, context_length: 512}}", chat]
    (lab / "specs/heroes/pip.yaml").write_text("\n".join(hero) + "\n")


def a_model(folder: Path, template: str) -> None:
    """Write a tiny model with the byte-level tokenizer and this template."""
    import transformers

    from trainer.data.tokenizers import byte_tokenizer

    byte_tokenizer(template, 512).save_pretrained(folder)
    config = transformers.Qwen3Config(
        vocab_size=320, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=512, tie_word_embeddings=True,
    )  # fmt: skip
    transformers.Qwen3ForCausalLM(config).save_pretrained(folder)


def test_every_check_has_a_row_here() -> None:
    assert {*(case.check for case in CASES.values()), "template"} == set(get_args(Check))
