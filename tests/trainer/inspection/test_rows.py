"""What a quick look finds: rows as they stand, without a tokenizer."""

from pathlib import Path

import pytest
from files import a_guard, a_row, look, many, said, trained_as, turns, write

from state.contract.inspection import Guard
from state.contract.orders import RowShape
from state.contract.row_contracts import RowContract
from trainer.inspection.errors import InspectError


def test_good_rows_have_no_findings(tmp_path: Path) -> None:
    found = look(write(tmp_path / "q.jsonl", *many(30)))
    assert (found.num_rows, found.contract, found.findings, found.tokens) == (30, "messages", (), None)


def test_a_file_that_the_gate_refuses_is_an_error_by_row(tmp_path: Path) -> None:
    found = look(write(tmp_path / "q.jsonl", a_row(), '{"messages": []}', '{"torn'))
    assert [one.row for one in found.findings] == [2, 3]
    assert all(one.is_error and one.check == "shape" for one in found.findings)
    assert 'row 2: "messages" is an empty list; expected a list of messages.' in str(found.findings[0])
    assert (found.digest, found.contract, found.num_rows) == (None, None, 0)


def test_rows_keep_their_numbers_where_invalid_ones_are_left_out(tmp_path: Path) -> None:
    contract = RowContract(name="sums", max_invalid_fraction=0.5)
    file = write(tmp_path / "q.jsonl", "{", a_row("a?", "b"), "{", a_row("c?", "d"), a_row("a?", "b"))
    found = look(file, contracts=(contract,))
    assert (found.num_rows, found.num_left_out) == (3, 2)
    assert said(found, "duplicate") == [
        "row 5: the same as row 2; expected each row once. "
        "Remove it, or raise epochs to train all rows more often."
    ]


@pytest.mark.parametrize(
    ("conversation", "found"),
    [
        (turns("a: hi"), "row 1: it begins with an answer; expected a question before it."),
        (turns("u: a", "u: b", "a: c"), "row 1: messages 1 and 2 are both the user's; expected"),
        (turns("u: a", "a: b", "u: c"), "row 1: the last message is the user's: nothing of it is learnt"),
        (
            turns("u: a", "s: b", "a: c"),
            "row 1: message 2 is a system message; expected one at the beginning",
        ),
    ],
)
def test_an_unusual_order_of_turns_is_named(tmp_path: Path, conversation: object, found: str) -> None:
    (only,) = said(look(write(tmp_path / "q.jsonl", conversation)), "roles")
    assert only.startswith(found)


def test_a_usual_conversation_with_a_system_message_is_no_finding(tmp_path: Path) -> None:
    found = look(write(tmp_path / "q.jsonl", turns("s: be kind", "u: a", "a: b", "u: c", "a: d")))
    assert found.findings == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("caf\ufffd", "row 1: U+FFFD at character 4: a character was lost"),
        ("a\x00b", "row 1: the control character U+0000 at character 2; expected text, line ends and tabs."),
        ("a\ufeffb", "row 1: a byte order mark (U+FEFF) at character 2"),
        ("cafÃ©", 'row 1: "Ã©" at character 4; expected "é": the text was read in the wrong encoding once.'),
        ("itâ€™s", 'row 1: "â€™" at character 3; expected "’"'),
    ],
)
def test_text_that_was_converted_wrongly_is_named_by_character(tmp_path: Path, text: str, found: str) -> None:
    (only,) = said(look(write(tmp_path / "q.jsonl", a_row(text))), "encoding")
    assert only.startswith(found)


@pytest.mark.parametrize("text", ["Ärger über Öl", "à la carte, señor", "ÂME", "①⓪ → ①", "a\tb\nc", "€ 5"])
def test_text_of_other_languages_is_no_finding(tmp_path: Path, text: str) -> None:
    assert look(write(tmp_path / "q.jsonl", a_row(text))).findings == ()


def test_of_many_findings_the_first_ten_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    found = look(write(tmp_path / "q.jsonl", *[a_row()] * 15))
    assert (len(said(found, "duplicate")), found.counts) == (10, {"duplicate": 14})


def test_a_row_of_the_held_out_file_is_named_with_its_place_there(tmp_path: Path) -> None:
    guard = write(tmp_path / "test.jsonl", a_row("x?", "y"), a_row("one and one?", "two"))
    found = look(write(tmp_path / "q.jsonl", *many(2), a_row()), guards=(a_guard(guard),))
    assert said(found, "leakage") == [
        "row 3: it is row 2 of the held-out file; expected other rows than those that measure. "
        "Remove it from one of the two files."
    ]


def test_a_question_of_the_held_out_file_with_another_answer_is_named(tmp_path: Path) -> None:
    guard = write(tmp_path / "test.jsonl", a_row("One  and one?", "2"))
    found = look(write(tmp_path / "q.jsonl", a_row()), guards=(a_guard(guard),))
    assert said(found, "leakage")[0].startswith("row 1: it asks the same as row 1 of the held-out file;")


def test_what_asks_the_same_is_refused_until_the_specs_allow_it_by_name(tmp_path: Path) -> None:
    guards = (Guard(name="the evaluation of skill sums, level 1", key="sums-level-1", questions=("1+1?",)),)
    file = write(tmp_path / "q.jsonl", *many(2), a_row("1+1?", "2"))

    refused = look(file, guards=guards)
    allowed = look(file, guards=guards, allowed_leakage=("sums-level-1",))

    assert (refused.num_errors, allowed.num_errors) == (1, 0)
    same = "row 3: it asks the same as row 1 of the evaluation of skill sums, level 1; expected other rows"
    assert said(refused, "leakage") == [
        f"{same} than those that measure. Remove it from one of the two, or allow it by name: "
        "allow_leakage: {sums-level-1: <why>}."
    ]
    assert said(allowed, "leakage") == [
        f"{same} than those that measure. The specs allow it (allow_leakage: sums-level-1): what is measured "
        "there is learnt by heart."
    ]


def test_what_one_name_allows_no_other_does(tmp_path: Path) -> None:
    names = ("sums-level-1", "sums-level-2")
    guards = tuple(Guard(name=name, key=name, questions=("1+1?",)) for name in names)
    file = write(tmp_path / "q.jsonl", *many(2), a_row("1+1?", "2"))
    found = look(file, guards=guards, allowed_leakage=names[:1])
    assert (found.num_errors, found.counts["leakage"]) == (1, 1)
    assert "row 1 of sums-level-2" in said(found, "leakage")[0]


def test_a_held_out_file_that_is_another_one_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "test.jsonl", a_row())
    guard = a_guard(file)
    write(file, a_row("other?"))
    with pytest.raises(
        InspectError, match=r"the held-out file: .*test\.jsonl has sha256:.*, expected sha256:"
    ):
        look(write(tmp_path / "q.jsonl", a_row()), guards=(guard,))


def test_a_file_of_which_every_row_is_held_out_is_an_error(tmp_path: Path) -> None:
    found = look(write(tmp_path / "q.jsonl", a_row()), held_out_fraction=1.0)
    assert (found.num_held_out, found.num_errors) == (1, 1)
    assert "every row is held out" in said(found, "held_out")[0]


def test_plain_text_has_no_turns(tmp_path: Path) -> None:
    contract = RowContract(name="pages", shape=RowShape(kind="text", text="text"))
    found = look(write(tmp_path / "q.jsonl", {"text": "a page"}), contracts=(contract,))
    assert (found.contract, found.findings) == ("pages", ())


def test_rows_of_the_held_out_file_are_not_counted_as_trained_as_the_trainer_never_learns_them(
    tmp_path: Path,
) -> None:
    guard = write(tmp_path / "test.jsonl", a_row(), a_row("short?", "x" * 100))
    inspected = look(
        write(tmp_path / "q.jsonl", *many(2), a_row("short?", "x" * 100)),
        depth="standard",
        trained_as=trained_as(),
        guards=(a_guard(guard),),
    )
    alone = look(write(tmp_path / "p.jsonl", *many(2)), depth="standard", trained_as=trained_as())
    assert inspected.num_held_out == 1
    assert inspected.tokens is not None
    assert alone.tokens is not None
    assert inspected.tokens.num_tokens == alone.tokens.num_tokens


@pytest.mark.parametrize(("share", "left"), [(1e-9, 0), (0.02, 2)])
def test_a_share_that_leaves_at_most_two_rows_to_measure_with_is_named(
    tmp_path: Path, share: float, left: int
) -> None:
    found = look(write(tmp_path / "q.jsonl", *many(60)), held_out_fraction=share)
    assert (found.num_held_out, found.num_errors) == (left, 0)
    assert said(found, "held_out") == [
        f"{share:g} leaves {left} of 60 rows to measure with; expected more than 2. "
        "Raise it, or measure with a file of its own."
    ]


def test_a_share_that_leaves_more_rows_is_no_finding(tmp_path: Path) -> None:
    found = look(write(tmp_path / "q.jsonl", *many(60)), held_out_fraction=0.2)
    assert (found.num_held_out > 2, said(found, "held_out")) == (True, [])


def test_a_file_whose_rows_all_stand_in_the_held_out_file_is_an_error(tmp_path: Path) -> None:
    guard = write(tmp_path / "test.jsonl", a_row())
    found = look(write(tmp_path / "q.jsonl", a_row()), guards=(a_guard(guard),))
    assert said(found, "held_out")[0].startswith("every row is held out; expected at least one to train on.")


ASKED = "What is the sum of 3 and 4, my friend?"
ALIKE = {
    "a character that nobody sees": a_row("What is the sum of 3 and 4, my\u200b friend?", "8"),
    "a soft hyphen and a byte order mark": a_row("\ufeffWhat is the sum of 3 and 4, my fri\u00adend?", "8"),
    "full-width letters": a_row("Ｗhat is the sum of ３ and 4, my friend？", "8"),
    "another space": a_row("What is the sum of\u00a03 and\u20034, my  friend ?", "8"),
    "no mark at the end": a_row("what is the sum of 3 and 4, my friend", "8"),
    "another mark at the end": a_row("What is the sum of 3 and 4, my friend...", "8"),
    "a later turn": turns("u: hi", "a: hello", f"u: {ASKED}", "a: 7"),
    "an early turn": turns(f"u: {ASKED}", "a: 7", "u: thanks", "a: bye"),
    "a turn with another answer": turns("s: be kind", "u: hi", "a: hello", f"u: {ASKED}", "a: eight"),
}
OTHER = {
    "another number": a_row("What is the sum of 3 and 5, my friend?", "8"),
    "a power": a_row("What is the sum of 3² and 4, my friend?", "13"),
    "a faculty": a_row("What is 5!", "120"),
    "a question that nobody answers": turns("u: hey", "a: hello", f"u: {ASKED}", "s: x", "u: well?", "a: no"),
    "what everybody says": turns("u: hi", "a: hey", "u: go on", "a: no"),
}
MEASURED = (
    a_row(ASKED, "7"),
    a_row("What is 5?", "5"),
    a_row("What is the sum of 32 and 4, my friend?", "36"),
    a_row("hi", "hello"),
    turns("u: go on", "a: yes", "u: and what is the sum of 6 and 7?", "a: 13"),
)


@pytest.mark.parametrize("row", ALIKE.values(), ids=ALIKE)
def test_a_measured_question_is_refused_however_it_is_written(tmp_path: Path, row: object) -> None:
    guard = write(tmp_path / "test.jsonl", *MEASURED)
    found = look(write(tmp_path / "q.jsonl", *many(2), row), guards=(a_guard(guard),))
    (told,) = said(found, "leakage")
    assert "row 1 of the held-out file" in told
    assert found.num_errors == 1


@pytest.mark.parametrize("row", OTHER.values(), ids=OTHER)
def test_what_only_looks_like_a_measured_question_is_none(tmp_path: Path, row: object) -> None:
    guard = write(tmp_path / "test.jsonl", *MEASURED)
    found = look(write(tmp_path / "q.jsonl", *many(2), row), depth="quick", guards=(a_guard(guard),))
    assert said(found, "leakage") == []


def test_a_measured_turn_with_its_answer_is_refused_outside_of_its_conversation(tmp_path: Path) -> None:
    guard = write(tmp_path / "test.jsonl", *MEASURED)
    taken = a_row("And what is the sum of 6 and 7", "13")
    otherwise = a_row("And what is the sum of 6 and 7", "it depends on what was said before")
    found = look(write(tmp_path / "q.jsonl", *many(2), taken, otherwise), guards=(a_guard(guard),))
    (told,) = said(found, "leakage")
    assert told.startswith("row 3: question 1 of it and its answer stand in row 5 of the held-out file;")
    assert found.num_errors == 1


def test_a_short_turn_with_its_measured_answer_is_told_and_not_refused(tmp_path: Path) -> None:
    guard = write(tmp_path / "test.jsonl", *MEASURED)
    row = turns("u: Hi!", "a: hello", "u: who are you?", "a: nobody")
    found = look(write(tmp_path / "q.jsonl", *many(2), row), guards=(a_guard(guard),))
    (told,) = said(found, "leakage")
    assert told.startswith("row 3: question 1 of it and its answer stand in row 4 of the held-out file;")
    assert found.num_errors == 0


def test_a_problem_of_an_examination_is_refused_in_a_conversation_too(tmp_path: Path) -> None:
    guards = (Guard(name="the evaluation of skill sums, level 1", key="sums-level-1", questions=("1+1?",)),)
    file = write(tmp_path / "q.jsonl", *many(2), turns("u: hi", "a: hello", "u: 1+1", "a: 3"))
    refused, allowed = look(file, guards=guards), look(file, guards=guards, allowed_leakage=("sums-level-1",))
    same = "row 3: question 2 of it is that of row 1 of the evaluation of skill sums, level 1;"
    assert said(refused, "leakage")[0].startswith(same)
    assert (refused.num_errors, allowed.num_errors) == (1, 0)
