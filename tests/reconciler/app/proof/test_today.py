"""A file of today against what was taken in: which rows are new, edited, gone, held out or not yet learnt."""

from collections import Counter

from reconciler.app.proof.today import Today, compared

KNOWN = ("a", "b", "c", "d")
TAKEN_IN = {"a": True, "b": True, "c": False, "d": True}
LEARNT = Counter({"a": 2, "b": 1})


def against(*rows: str | None) -> Today:
    return compared(rows, KNOWN, LEARNT, TAKEN_IN)


def test_the_file_as_it_was_taken_in() -> None:
    assert against(*KNOWN).states == ("learnt", "learnt", "held out", "waiting")
    assert against(*KNOWN).num_removed == 0


def test_a_row_in_the_place_of_one_that_is_nowhere_is_edited() -> None:
    found = against("a", "B", "c", "d")
    assert (found.states[1], found.instead_of, found.num_removed) == ("edited", {1: "b"}, 0)


def test_a_row_put_before_the_others_is_new_and_edits_none() -> None:
    found = against("x", *KNOWN)
    assert (found.states[:2], found.instead_of, found.num_removed) == (("new", "learnt"), {}, 0)


def test_a_row_behind_all_is_new() -> None:
    assert against(*KNOWN, "e").states[4] == "new"


def test_rows_that_were_taken_out_are_counted() -> None:
    assert against("a", "d").num_removed == 2


def test_rows_that_changed_places_are_what_they_were() -> None:
    found = against("d", "c", "b", "a")
    assert (found.states, found.num_removed) == (("waiting", "held out", "learnt", "learnt"), 0)


def test_an_invalid_row_moves_no_other_one() -> None:
    found = against("a", None, "B", "c", "d")
    assert (found.states, found.instead_of) == (
        ("learnt", "invalid", "edited", "held out", "waiting"),
        {2: "b"},
    )
