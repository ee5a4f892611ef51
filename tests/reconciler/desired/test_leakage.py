"""What may be learnt although it is measured with is named, exists, and has a reason."""

import pytest

DATASET = "specs/datasets/sums.yaml"
SKILL = {"specs/skills/bin.yaml": "id: bin\nmax_level: 3\n"}


@pytest.mark.parametrize(
    ("allowed", "sentence"),
    [
        ("{binn-level-1: x}", '"binn" is not the id of a skill; known: bin; did you mean "bin"?'),
        ("{bin: x}", "held-out, or <skill>-level-<n>"),
        ("{held-out: ' '}", "gives no reason; say why it may be learnt"),
        ("[held-out]", "expected a mapping"),
    ],
)
def test_a_name_that_measures_nothing_or_has_no_reason_is_a_mistake(
    mistakes_in, small, allowed, sentence
) -> None:
    files = small | SKILL | {DATASET: f"id: sums\nkind: text\nallow_leakage: {allowed}\n"}
    (only,) = mistakes_in(files)
    assert sentence in only.sentence
