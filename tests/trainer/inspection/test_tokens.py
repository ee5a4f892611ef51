"""What a standard look finds: rows as tokens, as the campaign would train them."""

from pathlib import Path

import pytest

pytest.importorskip("tokenizers", reason="needs the train extra")

from files import a_row, look, many, said, trained_as, write

from state.contract.orders import RowShape
from state.contract.request import ChatConfig
from state.contract.row_contracts import RowContract
from trainer.inspection.errors import InspectError

pytestmark = pytest.mark.train
FRAME = len("\x01user\n\x02\n\x01assistant\n\x02\n")
"""Tokens that chatml puts around a question and an answer."""


def test_tokens_and_what_of_them_is_trained_are_counted_as_training_counts_them(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", a_row("abc", "de"), a_row("f", "ghij"))
    counts = look(file, depth="standard", trained_as=trained_as()).tokens
    assert counts is not None
    assert (counts.num_tokens, counts.num_trained) == (2 * FRAME + 10, 2 + 1 + 4 + 1)
    assert (counts.longest, counts.median, counts.updates) == (FRAME + 5, FRAME + 5, 1)


def test_of_a_file_that_grew_only_the_rows_from_that_byte_on_are_counted_by_their_numbers_in_the_file(
    tmp_path: Path,
) -> None:
    old = write(tmp_path / "q.jsonl", a_row("abc", "de"), a_row("f", "ghij"))
    start = old.stat().st_size
    alone = write(tmp_path / "alone.jsonl", a_row("k", "lm"), a_row("x" * 300, "n"))
    with old.open("a") as file:
        file.write(alone.read_text())

    found = look(old, depth="standard", trained_as=trained_as(), start_byte=start)
    whole = look(alone, depth="standard", trained_as=trained_as())

    assert (found.num_rows, found.digest, found.tokens) == (2, whole.digest, whole.tokens)
    assert [text[:6] for text in said(found, "length")] == ["row 4:"]


def test_a_row_that_is_split_is_told_with_its_parts_and_is_no_error(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", *({"text": "x" * length} for length in (600, 20, 20)))
    shape = RowShape(kind="text", text="text", long_rows="split")
    contracts = (RowContract(name="essays", shape=shape),)
    found = look(file, depth="standard", trained_as=trained_as(), contracts=contracts)
    assert (found.num_errors, said(found, "length")) == (
        0,
        [
            "row 1: 600 tokens; expected at most 256 (max_length). It is trained as 3 documents, as long_rows: split says."
        ],
    )
    assert found.tokens is not None
    assert (found.tokens.num_trained, found.tokens.longest, found.tokens.updates) == (599 + 19 + 19, 256, 1)


def test_held_out_rows_are_not_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", *many(40))
    whole = look(file, depth="standard", trained_as=trained_as())
    part = look(file, depth="standard", trained_as=trained_as(), held_out_fraction=0.5)
    assert whole.tokens is not None
    assert part.tokens is not None
    assert 0 < part.num_held_out < 40
    assert part.tokens.num_tokens < whole.tokens.num_tokens


def test_fill_is_the_used_share_of_the_micro_batches_that_training_makes(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", *[a_row("x" * 20, f"{n:010}") for n in range(8)])
    length = FRAME + 30
    exact = look(file, depth="standard", trained_as=trained_as(tokens_at_once=2 * length)).tokens
    loose = look(file, depth="standard", trained_as=trained_as(tokens_at_once=3 * length)).tokens
    assert exact is not None
    assert loose is not None
    assert exact.fill == 1.0
    assert loose.fill == pytest.approx(4 / 6)  # three documents and one, in each update of four


def test_a_row_that_is_too_long_is_an_error_with_its_number(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", a_row(), a_row("x" * 300))
    found = look(file, depth="standard", trained_as=trained_as())
    assert said(found, "length") == [
        f"row 2: {FRAME + 303} tokens; expected at most 256 (max_length). Split the row or raise max_length."
    ]
    assert found.num_errors == 1
    assert found.tokens is not None
    assert found.tokens.longest == FRAME + len("one and one?two")


def test_a_template_that_refuses_a_row_is_an_error_with_its_number(tmp_path: Path) -> None:
    from state.contract.chat import template_digest

    folder = tmp_path / "model"
    folder.mkdir()
    text = "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}"
    (folder / "chat_template.jinja").write_text(text)
    chat = ChatConfig(template="default", digest=template_digest(text))
    file = write(tmp_path / "q.jsonl", a_row())
    with pytest.raises(InspectError, match="no model has it"):
        look(file, depth="standard", trained_as=trained_as(chat=chat))
    found = look(file, depth="standard", trained_as=trained_as(chat=chat, model_dir=str(folder)))
    assert "one turn only" in said(found, "template")[0]
    assert found.tokens is None


def test_a_file_of_which_nearly_nothing_is_learnt_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", *[a_row(f"{n:0200}", "a") for n in range(20)])
    (only,) = said(look(file, depth="standard", trained_as=trained_as()), "masked_share")
    assert only.startswith("99.1% of the tokens carry no loss; expected 30% to 85%")


def test_few_rows_say_nothing_about_the_share_that_is_learnt(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", *[a_row(f"{n:0200}", "a") for n in range(19)])
    assert said(look(file, depth="standard", trained_as=trained_as()), "masked_share") == []


def test_an_answer_that_goes_round_in_circles_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", a_row("tell me", "and so on " * 40), *many(3))
    (only,) = said(look(file, depth="standard"), "repetition")
    assert only.startswith("row 1: what is learnt says the same again and again")


def test_one_answer_in_nearly_all_rows_is_named(tmp_path: Path) -> None:
    rows = [a_row(f"is {n} right?", "yes" if n else "no") for n in range(30)]
    (only,) = said(look(write(tmp_path / "q.jsonl", *rows), depth="standard"), "repetition")
    assert only.startswith('29 of 30 rows have the answer "yes"; expected answers that differ.')


def test_an_answer_that_half_of_the_rows_share_is_no_finding(tmp_path: Path) -> None:
    rows = [a_row(f"is {n} right?", "yes" if n % 2 else "no") for n in range(30)]
    assert look(write(tmp_path / "q.jsonl", *rows), depth="standard").findings == ()


def test_the_real_rows_are_counted_without_an_error(cases: Path) -> None:
    from state.contract.orders import RowShape
    from state.contract.row_contracts import RowContract

    shape = RowShape(kind="fields", prompt="question", completion="answer")
    found = look(
        cases / "gsm8k" / "train.jsonl",
        contracts=(RowContract(name="gsm8k", shape=shape),),
        depth="standard",
        trained_as=trained_as(max_length=2048, tokens_at_once=2048),
    )
    assert (found.num_rows, found.num_errors, found.findings) == (7473, 0, ())
    assert found.tokens is not None
    assert found.tokens.num_tokens == 4_060_351
