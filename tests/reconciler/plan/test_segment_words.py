"""What a segment of a campaign's history is called."""

from case_checkpoints import segment_row

from reconciler.plan.segments.words import told

BEGUN_AT = "2026-01-31T12:00:00Z"


def test_a_segment_that_went_back_says_to_which_step_of_which_segment_and_when() -> None:
    row = segment_row("u", {"number": 2, "parent_step": 1200, "begun_at": BEGUN_AT, "rate_factor": 0.5})
    said = "back to step 1,200 of segment 1, 2026-01-31 12:00 UTC, rates x 0.5: it was better"
    assert told(row) == said


def test_a_release_says_from_which_step_it_branches_and_how_long_its_rate_falls() -> None:
    row = segment_row("u", {"number": 2, "parent_step": 20, "kind": "decay", "updates": 5})
    assert told(row) == "release of step 20 of segment 1, 5 updates while the rate falls: it was better"
