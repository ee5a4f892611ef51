"""The same value has the same digest, however it was written."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.canonical import canonical_json, sha256_of, short_id

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(), VALUES, min_size=2))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert sha256_of(value) == sha256_of(dict(reversed(value.items())))


def test_it_is_rfc_8785() -> None:
    value = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "literals": [None, True, False]}

    assert canonical_json(value) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
    )


def test_a_whole_float_is_the_same_number() -> None:
    assert sha256_of({"a": 1.0}) == sha256_of({"a": 1})


@pytest.mark.parametrize(
    ("value", "message"), [(math.nan, "nan"), (math.inf, "inf"), (2**60, "exceeds safe integer domain")]
)
def test_what_json_cannot_say_exactly_is_refused(value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        canonical_json({"a": value})


def test_a_digest_names_its_algorithm() -> None:
    assert sha256_of({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_parts_are_kept_apart() -> None:
    assert short_id("ab", "c") != short_id("a", "bc")
