"""Whose content a spec has once one commit gave several specs each other's, names apart."""

import pytest

from reconciler.app.planning.rewritten_specs import rewritten

ONE = b"id: one\nname: First\nskills_focus: [bin]\nseed: 1\n"
TWO = b"id: two\nname: Second\nskills_focus: [sy]\nseed: 2\n"
ONE_AS_TWO, TWO_AS_ONE = ONE.replace(b"one", b"two"), TWO.replace(b"two", b"one")
SWAPPED = [("one", "two"), ("two", "one")]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(TWO_AS_ONE, ONE_AS_TWO, id="as they were"),
        pytest.param(TWO_AS_ONE, ONE_AS_TWO.replace(b"First", b"Fist"), id="one of them edited by a letter"),
        pytest.param(
            TWO_AS_ONE.replace(b"seed: 2", b"seed: 7"), ONE_AS_TWO + b"version: 2\n", id="both of them edited"
        ),
    ],
)
def test_exchanged_files_are_told_by_what_they_read_like(one: bytes, two: bytes) -> None:
    assert sorted(rewritten({"one": ONE, "two": TWO}, {"one": one, "two": two})) == SWAPPED


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(
            ONE.replace(b"seed: 1", b"seed: 2"), TWO.replace(b"seed: 2", b"seed: 1"), id="a value each"
        ),
        pytest.param(TWO_AS_ONE, TWO.replace(b"seed: 2", b"seed: 3"), id="one made a copy, the other edited"),
        pytest.param(ONE + b"version: 2\n", TWO + b"version: 2\n", id="a line more in both"),
    ],
)
def test_edits_of_two_files_exchange_nothing(one: bytes, two: bytes) -> None:
    assert rewritten({"one": ONE, "two": TWO}, {"one": one, "two": two}) == []
