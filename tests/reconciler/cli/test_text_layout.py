"""Text for terminals: nothing raw, aligned, wrapped, in people's units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.text_layout import (
    Column,
    Paint,
    columns,
    duration,
    harmless,
    rate,
    safe,
    short_code,
    shortened,
    size,
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
        (duration(0.4), "0 s"),
        (duration(110), "1m 50s"),
        (duration(7800), "2h10m"),
        (duration(3 * 86400 + 4 * 3600), "3d 4h"),
        (size(999), "999 B"),
        (size(61_000_000), "61.0 MB"),
        (size(18_400_000_000), "18.4 GB"),
        (rate(6100), "6.1k tok/s"),
        (rate(657), "657 tok/s"),
        (short_code("a1b2c3d" + "0" * 33 + "+dirty.0123"), "a1b2c3d+dirty"),
        (short_code("realm-reconciler 0.1.0 sha256:0123456789"), "realm-reconciler 0.1.0 …"),
    ],
)
def test_units_that_people_read(shown: str, expected: str) -> None:
    assert shown == expected
