"""Text for terminals: nothing raw, aligned, wrapped, in people's units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.text_layout import (
    Column,
    Paint,
    columns,
    harmless,
    rate,
    safe,
    short_code,
    shortened,
    table,
    wrapped,
)


@given(st.text())
def test_safe_text_is_printable_and_one_line(text: str) -> None:
    assert safe(text).isprintable()


@given(st.text())
def test_harmless_text_has_no_control_character_but_line_ends_and_colours(text: str) -> None:
    shown = harmless(Paint(on=True)(text, "bad"))
    inner = shown.replace("\x1b[31m", "").replace("\x1b[0m", "").replace("\n", "")
    assert "\x1b]" not in shown
    assert all(char.isprintable() or char == "\x1b" for char in inner)


def test_a_title_sequence_and_a_cleared_screen_become_visible() -> None:
    assert harmless("a\x1b]0;evil\x07b\x1b[2J") == "a\\x1b]0;evil\\x07b\\x1b[2J"
    assert safe("two\nlines \u202e") == "two\\nlines \\u202e"


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x3000)), st.integers(2, 40))
def test_wrapped_lines_fit_but_for_a_single_long_word_and_shortened_text_fits(text: str, width: int) -> None:
    assert all(columns(line) <= width or " " not in line for line in wrapped(safe(text), width))
    assert columns(shortened(safe(text), width)) <= width


def test_wide_characters_count_twice_so_columns_stay_aligned() -> None:
    text = table([Column("name"), Column("x")], [("龍", 1), ("ab", 2)], 80)
    assert text == "NAME  X\n龍    1\nab    2"


ROWS = [("tiny-adamw/campaign-001", "cpu", "a1b2c3d", "out of memory: far too much was asked for")]
TITLES = [Column("run"), Column("device", spare=2), Column("code", spare=1), Column("end")]


def test_the_least_important_columns_make_room_and_are_named() -> None:
    assert table(TITLES, ROWS, 60).splitlines() == [
        "RUN                      CODE     END",
        "tiny-adamw/campaign-001  a1b2c3d  out of memory: far too",
        "                                  much was asked for",
        "no room for device: see --wide or --json",
    ]


def test_a_reason_stays_readable_while_another_column_can_be_left_out_or_folded() -> None:
    titles = [Column("quest"), Column("campaign"), Column("rows", right=True), Column("status")]
    rows = [
        ("maths-sums-0123abcd", "tiny-adamw/campaign-001", "1,234", "queued: waits for the window at 08:00")
    ]
    assert table(titles, rows, 60).splitlines() == [
        "QUEST          CAMPAIGN       ROWS  STATUS",
        "maths-sums-    tiny-adamw/   1,234  queued: waits for the",
        "0123abcd       campaign-001         window at 08:00",
    ]


def test_with_wide_nothing_is_left_out_and_a_row_is_a_line() -> None:
    assert table(TITLES, ROWS, None).splitlines()[1] == "  ".join(ROWS[0]).replace("cpu  ", "cpu     ")


@given(st.lists(st.text("ab/龍 ", min_size=1, max_size=60), min_size=4, max_size=4), st.integers(40, 120))
def test_no_line_of_a_table_is_wider_than_the_terminal_and_no_name_is_lost(row, width: int) -> None:
    lines = table(TITLES, [row], width).splitlines()
    assert all(columns(line) <= width for line in lines)
    shown = "".join(line[: max(3, columns(row[0]))] for line in lines[1:] if "no room" not in line)
    assert all(shown.count(char) >= row[0].count(char) for char in "ab/")


def test_a_name_without_room_is_folded_after_a_separator_and_a_number_never() -> None:
    titles = [Column("campaign"), Column("step", right=True), Column("reason")]
    rows = [("a-very-long-hero-name/campaign-001", "1,234,567", "as the specs say")]
    assert table(titles, rows, 40).splitlines() == [
        "CAMPAIGN           STEP  REASON",
        "a-very-long-  1,234,567  as the specs",
        "hero-name/               say",
        "campaign-001",
    ]


def test_an_empty_column_is_left_out() -> None:
    assert (
        table([Column("a"), Column("b"), Column("c")], [(1, "", 3), (2, None, 4)], 80) == "A  C\n1  3\n2  4"
    )


def test_colours_only_when_they_are_on() -> None:
    assert Paint(on=False)("x", "bad") == "x"
    assert Paint(on=True)("x", "bad") == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (rate(6100), "6.1k tok/s"),
        (rate(657), "657 tok/s"),
        (short_code("a1b2c3d" + "0" * 33 + "+dirty.0123"), "a1b2c3d+dirty"),
        (short_code("realm-reconciler 0.1.0 sha256:0123456789"), "realm-reconciler 0.1.0 …"),
    ],
)
def test_units_that_people_read(shown: str, expected: str) -> None:
    assert shown == expected


def test_a_line_broken_at_commas_has_room_for_its_comma_and_a_long_part_is_broken_at_spaces() -> None:
    assert wrapped("12345, 7890, 2", 11, at=", ") == ["12345,", "7890, 2"]
    assert wrapped("[high] quest.jsonl: 6,400 examples, 2 times", 20, at=", ") == [
        "[high] quest.jsonl:",
        "6,400 examples,",
        "2 times",
    ]


def test_a_command_stays_on_one_line_to_be_copied() -> None:
    assert wrapped("take it back: reconcile undelete pip/campaign-001@500; or leave it", 20) == [
        "take it back:",
        "reconcile undelete pip/campaign-001@500;",
        "or leave it",
    ]
    assert wrapped("end it: reconcile refresh --accept 4f1c2d9", 20) == [
        "end it:",
        "reconcile refresh --accept 4f1c2d9",
    ]
