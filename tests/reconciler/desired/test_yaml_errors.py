"""What a YAML reader complains about, in a person's words."""

from types import SimpleNamespace

from reconciler.desired.yaml_errors import explained


def test_a_colon_in_a_value_of_a_list_is_told_with_the_way_to_write_it() -> None:
    error = SimpleNamespace(
        problem="found unexpected ':'", context=None, problem_mark=None, context_mark=None
    )
    found = explained(error)
    assert found.message == "not valid YAML: a ':' in a value that is not quoted"
    assert found.hint == "quote the text"
