"""A content that begins with what was taken in has grown; what is new is known to the byte."""

import hashlib

import pytest

from state.contract.contents import KnownPart
from state.contract.growth import continued, not_taken_yet
from state.contract.row_contracts import MESSAGES
from state.contract.sieve import row_digests

ROW = b'{"messages": [{"role": "user", "content": "%d"}, {"role": "assistant", "content": "2"}]}'


def rows(*numbers: int) -> bytes:
    return b"".join(ROW % number + b"\n" for number in numbers)


def part(content: bytes) -> KnownPart:
    return KnownPart("sha256:" + hashlib.sha256(content).hexdigest(), len(content))


def behind(content: bytes, *parts: bytes):
    return continued(content, [part(one) for one in parts], "q", MESSAGES)


def test_rows_behind_the_known_ones_are_new() -> None:
    found = behind(rows(1, 2, 3), rows(1))
    assert (found.starts, found.new.num_rows) == ((0, len(rows(1))), 2)
    assert found.new.digest == part(rows(2, 3)).digest
    assert 0 < found.new.highest_draw < 1


def test_a_second_growth_goes_on_behind_the_first() -> None:
    found = behind(rows(1, 2, 3), rows(1), rows(2))
    assert (found.starts, found.new.digest) == ((0, len(rows(1)), len(rows(1, 2))), part(rows(3)).digest)


def test_an_unchanged_content_has_nothing_new() -> None:
    assert behind(rows(1, 2), rows(1), rows(2)).new is None
    assert behind(rows(1, 2), rows(1, 2)).new is None


def test_a_line_end_that_came_later_is_no_edit() -> None:
    without = rows(1)[:-1]
    assert behind(rows(1), without).new is None
    found = behind(rows(1, 2), without)
    assert (found.new.digest, found.starts[-1]) == (part(rows(2)).digest, len(rows(1)))


@pytest.mark.parametrize("content", [rows(2, 1), rows(1)[:-20], rows(9, 2), rows(1)[:-1] + b" " + rows(2)])
def test_a_content_that_begins_otherwise_is_edited(content: bytes) -> None:
    assert behind(content, rows(1)) is None


def test_equal_rows_that_come_again_are_new_rows() -> None:
    assert behind(rows(1, 1, 1), rows(1), rows(1)).new.digest == part(rows(1)).digest


@pytest.mark.parametrize(("held_out", "all_in"), [(rows(2, 3, 4), ("t",)), (rows(2), ()), (rows(1), ())])
def test_a_held_out_file_that_has_every_new_row_is_named(held_out: bytes, all_in: tuple[str, ...]) -> None:
    known = {"t": row_digests(held_out, "t", MESSAGES)}
    found = continued(rows(1, 2, 3), [part(rows(1))], "q", MESSAGES, lambda: known)
    assert found is not None
    assert found.new is not None
    assert found.new.all_in == all_in


@pytest.mark.parametrize(
    ("taken", "start"),
    [
        ([], 0),
        ([b"a\n"], 2),
        ([b"a"], 2),
        ([b"b\n"], 0),
        ([b"a\n", b"b\n"], 4),
        ([b"b\n", b"a\nb\n", b"a\n"], 4),
        ([b"a\nb\nc\n"], 0),
        ([b"a\nb\n", b"c\n"], 4),
        ([b"a\nb"], 4),
        ([b"a\nb\nc\nd\n"], 0),
    ],
    ids=[
        "nothing was taken in", "the first row", "the first row, without its line's end", "a later row only",
        "one content after the other", "the longest counts", "the whole file", "the whole file, by parts",
        "two rows, without the last line's end", "more than there is",
    ],
)  # fmt: skip
def test_what_was_not_taken_in_begins_behind_what_was(taken: list[bytes], start: int) -> None:
    assert not_taken_yet(b"a\nb\nc\n", [part(one) for one in taken]) == start


def test_a_content_that_ends_within_a_line_of_the_file_was_not_taken_in_from_it() -> None:
    assert not_taken_yet(b"aa\nb\n", [part(b"a")]) == 0
