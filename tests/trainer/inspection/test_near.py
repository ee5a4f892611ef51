"""What a deep look finds: rows that are nearly the same."""

import random
from pathlib import Path

import pytest

pytest.importorskip("numpy", reason="needs the train extra")

from files import a_guard, a_row, look, many, said, turns, write

from trainer.inspection.near import NearIndex

pytestmark = pytest.mark.train
WORDS = [f"w{n:04}" for n in range(3000)]


def a_text(seed: int, words: int = 120) -> list[str]:
    return random.Random(seed).choices(WORDS, k=words)


def test_a_row_with_a_word_changed_is_named_with_the_row_that_it_resembles(tmp_path: Path) -> None:
    words = a_text(1)
    changed = [*words[:60], "otherwise", *words[61:]]
    file = write(tmp_path / "q.jsonl", *many(2), a_row(" ".join(words), "x"), a_row(" ".join(changed), "x"))
    found = look(file, depth="deep")
    (only,) = said(found, "near_duplicate")
    assert only.startswith("row 4: some 9")
    assert "of it stands in row 3; expected rows that differ." in only


def test_equal_rows_are_duplicates_and_not_near_ones(tmp_path: Path) -> None:
    row = a_row(" ".join(a_text(1)), "x")
    assert look(write(tmp_path / "q.jsonl", row, row), depth="deep").counts == {"duplicate": 1}


def test_a_standard_look_does_not_compare_rows(tmp_path: Path) -> None:
    words = a_text(1)
    file = write(tmp_path / "q.jsonl", a_row(" ".join(words), "x"), a_row(" ".join(words), "y"))
    assert look(file, depth="standard").counts == {}
    assert look(file, depth="deep").counts == {"near_duplicate": 1}


def test_texts_far_above_the_limit_are_met_and_far_below_it_are_not() -> None:
    index = NearIndex()
    for seed in range(200):
        assert index.add(seed, " ".join(a_text(seed))) is None
    for seed in range(200):
        words = a_text(seed)
        alike = [*words[:118], "new", "words"]
        other = [*words[:40], *a_text(seed + 1000, 80)]
        near = index.find(1000, " ".join(alike))
        assert near is not None
        assert near.before == seed
        assert near.share > 0.85
        assert index.find(1000, " ".join(other)) is None


def test_a_question_that_nearly_stands_in_the_held_out_file_is_named(tmp_path: Path) -> None:
    words = a_text(5)
    guard = write(tmp_path / "test.jsonl", a_row("short?", "x"), a_row(" ".join(words), "secret"))
    file = write(tmp_path / "q.jsonl", a_row(" ".join([*words[:-1], "end"]), "x"))
    (only,) = said(look(file, depth="deep", guards=(a_guard(guard),)), "leakage")
    assert only.startswith("row 1: it asks some 9")
    assert "the same as row 2 of the held-out file" in only


def test_a_short_measured_question_in_the_same_words_is_named_and_one_with_another_number_is_not(
    tmp_path: Path,
) -> None:
    guard = write(tmp_path / "test.jsonl", a_row("What is the sum of 3 and 4, my friend?", "7"))
    same = a_row('What is: the sum of "3" and 4 my friend', "8")
    in_a_turn = turns("u: hi", "a: hello", "u: what is the sum of 3, and 4 my friend?", "a: 7")
    others = [a_row(f"What is the sum of 3{sign}5 and 4, my friend?", "x") for sign in ".-+"]
    file = write(tmp_path / "q.jsonl", same, in_a_turn, *others)
    assert look(file, depth="standard", guards=(a_guard(guard),)).counts == {}
    assert said(look(file, depth="deep", guards=(a_guard(guard),)), "leakage") == [
        f"row {number}: it asks in the same words as row 1 of the held-out file; expected other rows than "
        "those that measure. Remove it from one of the two files."
        for number in (1, 2)
    ]


def test_a_turn_that_is_nearly_a_measured_question_is_named(tmp_path: Path) -> None:
    words = a_text(5)
    guard = write(tmp_path / "test.jsonl", a_row(" ".join(words), "secret"))
    row = turns("u: " + " ".join(a_text(6)), "a: x", "u: " + " ".join([*words[:-1], "end"]), "a: secret")
    (only,) = said(look(write(tmp_path / "q.jsonl", row), depth="deep", guards=(a_guard(guard),)), "leakage")
    assert only.startswith("row 1: it asks some 9")
