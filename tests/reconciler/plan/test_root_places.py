"""Where a realm lies is compared as a path, not as it is written."""

import pytest

from reconciler.plan.root import _is_place


@pytest.mark.parametrize(
    ("said", "is_there"),
    [
        ("/data/realm", True),
        ("/data/realm/", True),
        ("/data//realm", True),
        ("~/realm", True),
        ("~/realm/", True),
        ("/data/other", False),
        ("~/other", False),
    ],
)
def test_a_slash_more_is_no_other_place(said: str, is_there: bool) -> None:
    assert _is_place("/data/realm", said) is is_there
