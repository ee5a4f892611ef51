"""Edits of a spec's text: one line changes, every other byte stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.committing.line_edits import CannotEdit, with_line, with_value, without_line

SPEC = (
    "# first\nid: campaign-001   # equals the file's name\nname: First light\n\n# what it is about\n"
    "skills_focus: [bin]   # one\nfor:\n  - a/b            # x\n  - 'c'\n"
)


def test_a_new_line_comes_under_the_key_that_it_is_about() -> None:
    edited = with_line(SPEC, "state", "archived", after=("name", "id"))
    assert edited == SPEC.replace("name: First light\n", "name: First light\nstate: archived\n")


@pytest.mark.parametrize("name", ["name: >\n  First\n  light\n", 'name: "First\n  light"\n', ""])
def test_where_no_line_fits_under_the_first_key_it_comes_under_the_next(name: str) -> None:
    text = f"{name}id: x\n"
    assert with_line(text, "state", "archived", after=("name", "id")) == f"{text}state: archived\n"


def test_a_key_that_is_there_gets_the_value_in_place() -> None:
    assert with_line("id: x\nstate: deleted # no\n", "state", "archived", after=("id",)) == (
        "id: x\nstate: archived # no\n"
    )


@pytest.mark.parametrize("there", ["{to: 8, reason: x}", "\n  to: 8\n  reason: >\n    x", "\n- 1\n- 2"])
def test_a_map_or_a_list_that_is_there_makes_way_for_the_new_value(there: str) -> None:
    edited = with_line(f"id: x\nrewind: {there}\n# why\nname: y\n", "rewind", "{to: 4}", after=("name", "id"))
    assert edited == "id: x\n# why\nname: y\nrewind: {to: 4}\n"


@pytest.mark.parametrize(("new", "spaces"), [("x/y", 12), ("x/longer", 7), ("x/so-long-that-it-is", 1)])
def test_a_comment_beside_a_changed_value_keeps_its_column_where_it_can(new: str, spaces: int) -> None:
    edited = with_value(SPEC, ("for", 0), new)
    assert edited == SPEC.replace("a/b            # x", f"{new}{' ' * spaces}# x")


def test_a_value_in_a_list_on_one_line_is_changed_alone() -> None:
    assert with_value("q: [{for: [a/b, c/d]}]\n", ("q", 0, "for", 1), "e/f") == "q: [{for: [a/b, e/f]}]\n"


@pytest.mark.parametrize(
    ("there", "value"),
    [("[]", "[{days: mon, to: x}]"), ("[[a], {b: [c]}]", "[]"), ("{a: {b: {c: d}}}", "{}"), ("[x]", "y")],
)
def test_a_list_or_a_map_in_brackets_on_one_line_is_replaced_whole(there: str, value: str) -> None:
    text = "q:\n  w: {}  # [a] {{b}}\n  z: 1\n"
    assert with_value(text.format(there), ("q", "w"), value) == text.format(value).replace(
        "  #", " " * max(1, 2 + len(there) - len(value)) + "#"
    )


def test_what_spans_several_lines_is_said_with_the_line_to_write_and_where() -> None:
    told = "write it by hand: the line `w: \\[b\\]` under `q\\[0\\]`"
    with pytest.raises(CannotEdit, match=told):
        with_value("q:\n  - w:\n    - a\n", ("q", 0, "w"), "[b]")


def test_a_removed_line_leaves_its_comment() -> None:
    assert without_line("id: x\nstate: archived   # tired\nname: y\n", "state") == "id: x\n# tired\nname: y\n"
    assert without_line("id: x\nstate: archived\n", "state") == "id: x\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay_as_they_are(end: str) -> None:
    text = f"\ufeffid: x{end}name: y"
    added = with_line(text, "state", "archived", after=("name",))
    assert added == f"\ufeffid: x{end}name: y\nstate: archived\n"
    assert without_line(f"id: x{end}state: archived{end}name: y{end}", "state") == f"id: x{end}name: y{end}"


@pytest.mark.parametrize("text", ["{id: x, name: y}\n", "{id: x,\n name: y}\n"])
def test_a_spec_in_braces_fits_no_line_edit_and_says_what_to_write(text: str) -> None:
    with pytest.raises(CannotEdit, match="write it by hand: the line `state: archived`"):
        with_line(text, "state", "archived", after=("name", "id"))


def test_a_value_over_several_lines_fits_no_line_edit() -> None:
    with pytest.raises(CannotEdit, match="write it by hand: the line `name: z`"):
        with_value("name: >\n  a\n  b\n", ("name",), "z")
    with pytest.raises(CannotEdit, match="without `state`"):
        without_line("{state: archived,\n id: x}\n", "state")


@given(st.lists(st.sampled_from(["# c", "", "a: 1", "b: [x, y]", "c: {d: 1}"]), unique=True), st.booleans())
def test_adding_and_removing_a_line_gives_the_text_of_before(lines: list[str], is_indented: bool) -> None:
    lead = "  " if is_indented else ""
    text = "".join(f"{lead}{line}\n" for line in ["id: x", *lines])
    assert without_line(with_line(text, "state", "archived", after=("id",)), "state") == text
