"""Bytes of a spec → values and places, or a finding with its place."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.places import Span
from reconciler.desired.yaml_nodes import Document, parse


def both(text: str | bytes) -> Document:
    """Parse with the C and the Python reader; what they give must be equal."""
    data = text.encode() if isinstance(text, str) else text
    ours, pure = parse(data), parse(data, c_parser=False)
    assert (ours.values, ours.places, ours.unreadable) == (pure.values, pure.places, pure.unreadable)
    assert ours.findings == pure.findings
    return ours


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-5", 5e-5),
        ("2.0e+3", 2000.0),
        (".5", 0.5),
        ("no", "no"),
        ("on", "on"),
        ("2026-12-01", "2026-12-01"),
        ("12:30:45", "12:30:45"),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", "1_000"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("~", None),
        ("True", True),
        ("'1'", "1"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
    ],
)
def test_values_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = both(f"a: {text}\n").values["a"]
    assert (found, type(found)) == (value, type(value))


def test_every_key_and_value_has_its_line_and_column() -> None:
    places = both("a:\n  - {é: 1, b: two}\n").places
    assert places["a[0].b"].key == Span(2, 12, 1)
    assert places["a[0].b"].value == Span(2, 15, 3)
    assert places['a[0]["é"]'].value == Span(2, 9, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: &x 1\n", 1, 4, "an anchor (&x); write the value out where it is needed"),
        ("a: 1\nb: *a\n", 2, 4, "an alias (*a); write the value out"),
        ("a: {<<: {b: 1}}\n", 1, 5, "a merge key (<<); write the keys out"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, 'duplicate key "a"; it stands in line 1 already'),
        ("a: !x 1\n", 1, 4, "a tag (!x) at a; remove it"),
        (
            "a: !!python/object/apply:os.system [x]\n",
            1,
            4,
            "a tag (!!python/object/apply:os.system) at a; remove it",
        ),
        ("1: a\n", 1, 1, 'the key 1 is a whole number; quote it: "1"'),
        ("null: a\n", 1, 1, 'the key null is empty; quote it: "null"'),
        ("? [a]\n: 1\n", 1, 3, "a list or mapping as a key; expected text"),
        ("a: .inf\n", 1, 4, "a is .inf; expected a finite number"),
        ("a: -.INF\n", 1, 4, "a is -.INF; expected a finite number"),
        ("a: .nan\n", 1, 4, "a is .nan; expected a finite number"),
        ("a: 1e999\n", 1, 4, "a is 1e999, beyond the largest number there is room for"),
        ("a: " + "9" * 5000 + "\n", 1, 4, "a is a number of 5000 digits; at most 40 are read"),
        ("a: 1\n---\nb: 1\n", 2, 1, "a second document starts here; a file holds one spec"),
        ("%YAML 1.1\n---\na: 1\n", 1, 1, "asks for YAML 1.1; specs are YAML 1.2"),
        ("- a\n", 1, 1, "is a list; expected a mapping of keys"),
        ("hello\n", 1, 1, "is a single value; expected a mapping of keys"),
        ("a:\n\tb: 1\n", 2, 1, "holds a tab"),
        ("a: x\x00y\n", 1, 5, "holds a NUL byte"),
        ("a: x\u202ey\n", 1, 5, "holds the invisible character U+202E"),
        ("a: b: c\n", 1, 5, "not valid YAML: a second ':' in one value, or a line indented too far"),
        ("a: [1, 2\nb: 3\n", 1, 4, "not valid YAML: a list [ ... ] that is not closed or lacks a comma"),
        ("a: {b: 1\n", 1, 4, "not valid YAML: a mapping { ... } that is not closed or lacks a comma"),
        ('a: "abc\n', 1, 4, "not valid YAML: a quote that is never closed"),
        ("a: @b\n", 1, 4, "not valid YAML: a character that cannot start a value"),
        ("a: 1\nbad line\nc: 2\n", 2, 1, "not valid YAML: a line that is no `key: value`"),
        ("a:\n  b: 1\n  bad:1\n", 3, 3, "not valid YAML: a line that is no `key: value`"),
        ("a:\n  bad line # why\n  c: 2\n  d: 3\n", 2, 3, "not valid YAML: a line that is no `key: value`"),
        ("a:\n    b: 1\n    c: 2\n  - b: 3\n", 2, 5, "not valid YAML: the first of these items has no '- '"),
        ("a: b\n  c: d\n", 2, 4, "not valid YAML: a second ':' in one value, or a line indented too far"),
        ("a:\n - x\n y: 1\n", 3, 2, "not valid YAML: an indentation that fits no list or mapping above it"),
        ('a: "\\q"\n', 1, 4, "not valid YAML: an unknown \\ escape in double quotes"),
    ],
)
def test_what_a_spec_may_not_hold_is_named_with_its_place(
    text: str, line: int, column: int, message: str
) -> None:
    [finding] = both(text).findings
    assert finding.span is not None
    assert (finding.span.line, finding.span.column, finding.message) == (line, column, message)


def test_conflict_markers_are_named_with_their_lines() -> None:
    [finding] = both("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> theirs\n").findings
    assert finding.message == "merge conflict markers at lines 2-6"
    assert finding.hint == "finish the merge, then commit"


def test_a_number_with_a_comma_is_told_once_and_as_that() -> None:
    document = both("goal: {updates: 2,000}\n")
    [finding] = document.findings
    assert finding.message == "the key 000 is a whole number: a comma ends a value, write numbers without it"
    assert ("goal", "000") in document.unreadable


def test_a_color_that_begins_a_comment_is_told_as_that() -> None:
    [finding] = both("display: {color: #8B5CF6}\nx: 1\n").findings
    assert finding.message == "not valid YAML: a mapping { ... } that is not closed or lacks a comma"
    assert finding.hint == "a # after a space begins a comment: quote the text"
    [other] = both("display: {color: red\nx: 1\n").findings
    assert other.hint is None


@pytest.mark.parametrize("marker", ["<<<<<<< HEAD", "=======", ">>>>>>> theirs", "||||||| base"])
def test_a_marker_left_behind_from_a_merge_is_named(marker: str) -> None:
    [finding] = both(f"a: 1\n{marker}\nb: 2\n").findings
    assert (finding.span, finding.message) == (Span(2, 1, len(marker)), "merge conflict marker")


def test_a_row_of_equal_signs_in_a_text_is_no_conflict() -> None:
    assert both("a: |\n  title\n  =======\nb: =======\n").findings == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
def test_lines_are_counted_as_an_editor_does_with_any_line_end(start: str, end: str) -> None:
    document = both(start + end.join(["# first", "a: 1", "b: *x", "c: |", "  one", "  two", ""]))
    assert document.places["a"].key == Span(2, 1, 1)
    assert document.findings[0].span == Span(3, 4, 2)
    assert document.values["c"] == "one\ntwo\n"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n...\n"])
def test_an_empty_document_is_named(text: str) -> None:
    [finding] = both(text).findings
    assert "empty" in finding.message or "single value" in finding.message


def test_bytes_that_are_not_utf8_are_named_with_the_byte() -> None:
    [finding] = both(b"a: 1\nb: \xff\n").findings
    assert (finding.span, finding.message) == (Span(2, 4, 1), "is not UTF-8: byte 0xff")


def test_fifty_levels_are_read_and_a_million_stop_early_without_recursion() -> None:
    assert not both("a: " + "[" * 49 + "]" * 49).findings
    started = time.process_time()
    [finding] = parse(b"a: " + b"[" * 1_000_000).findings
    assert finding.message == "is nested more than 50 levels deep"
    assert time.process_time() - started < 2


def test_a_huge_document_is_refused_by_size_and_by_number_of_values() -> None:
    assert parse(b"a: " + b"x" * 1_048_576).findings[0].message == (
        "has more than 1,048,576 bytes, which is too large for a spec"
    )
    assert parse(b"a: [" + b"1," * 60_000 + b"]").findings[0].message == "has more than 50,000 values"


def test_billion_laughs_cost_nothing() -> None:
    lines = ["l0: &l0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    document = both("\n".join(lines) + "\n")
    assert len(document.findings) == 12 + 11 * 9


def test_numbers_are_keys_only_where_older_files_have_them() -> None:
    data = b"thresholds: {1: 0.8}\nother: {2: x}\n"
    document = parse(data, number_keys_under=frozenset({"thresholds"}))
    assert document.values["thresholds"] == {"1": 0.8}
    assert [one.message for one in document.findings] == ['the key 2 is a whole number; quote it: "2"']


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_findings(data: bytes) -> None:
    document = parse(data)
    assert document.findings or isinstance(document.values, dict)


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`, \n?01.~", max_size=60))
def test_the_c_and_the_python_reader_agree(text: str) -> None:
    ours, pure = parse(text.encode()), parse(text.encode(), c_parser=False)
    if not ours.findings and not pure.findings:
        assert (ours.values, ours.places) == (pure.values, pure.places)
