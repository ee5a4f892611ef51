"""Records that contradict each other: nothing is said about any of them, so nothing is deleted."""

import math

import pytest

from reconciler.plan.retention.invariants import BrokenPromise, check_verdicts
from reconciler.plan.retention.records import MalformedRecords, Verdict
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Rules

RULES = Rules(last=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"id": "tiny/c@10"}, "2 checkpoints have the id 'tiny/c@10'; expected one"),
        ({"sequence": 10}, "2 checkpoints have the sequence 10; expected one"),
        ({"step": 10}, r"2 checkpoints have the segment and step \(1, 10\); expected one"),
        ({"sequence": -1}, "a checkpoint has a sequence below 0"),
        ({"step": -5}, "a checkpoint has a step below 0"),
        ({"segment": -1}, "a checkpoint has a segment below 0"),
        ({"saved_at": "2026-01-01T00:00:00"}, "tiny/c@20: saved at '2026-01-01T00:00:00', a time without a zone"),
        ({"saved_at": "yesterday"}, "tiny/c@20: saved at 'yesterday', which is no time"),
        ({"saved_at": ""}, "tiny/c@20: saved at '', which is no time"),
        ({"saved_at": None}, "tiny/c@20: saved at None, which is no time"),
        ({"saved_at": "0001-01-01T00:00:00+12:00"}, "tiny/c@20: saved at '0001-01-01T00:00:00.12:00', which is no time"),
        ({"recorded_at_seconds": math.nan}, "tiny/c@20: recorded at nan; expected seconds"),
    ],
)  # fmt: skip
def test_malformed_records_are_refused_by_name(make, changed, message):
    records = [make(10), make(20, **changed) if "step" not in changed else make(20, id="x"), make(30)]
    if "step" in changed:
        records[1] = make(changed["step"], 20, id="x")
    with pytest.raises(MalformedRecords, match=message):
        retain(records, RULES)


def test_an_observed_time_that_is_no_number_is_refused(make):
    with pytest.raises(MalformedRecords, match="the observed time is nan; expected seconds"):
        retain([make(10)], RULES, now=math.nan)


@pytest.mark.parametrize(
    ("decisions", "pins", "message"),
    [
        (["drop", "keep"], [], "2 verdicts for 3 checkpoints: not one for each"),
        (["drop", "drop", "keep"], ["tiny/c@20"], "tiny/c@20: dropped, though it is pinned"),
        (["keep", "keep", "drop"], [], "the newest checkpoint would be dropped"),
        (["drop", "keep", "keep"], [], "tiny/c@20: kept at first, dropped at the second look"),
    ],
)  # fmt: skip
def test_a_wrong_result_is_not_acted_upon(make, decisions, pins, message):
    """The check of every real plan sees a mutant of `retain` for each promise."""
    records = [make(10), make(20), make(30)]
    verdicts = [
        Verdict(id=record.id, decision=decision, reasons=("because",))
        for record, decision in zip(records, decisions, strict=False)
    ]
    with pytest.raises(BrokenPromise, match=message):
        check_verdicts(verdicts, records, RULES, pins, [], 0.0)


def test_a_verdict_without_a_reason_is_not_acted_upon(make):
    with pytest.raises(BrokenPromise, match="tiny/c@10: keep without a reason"):
        check_verdicts([Verdict(id="tiny/c@10", decision="keep", reasons=())], [make(10)], RULES, [], [], 0.0)


def test_what_is_not_whole_is_not_dropped_by_a_wrong_result(make):
    records = [make(10, complete=False), make(20)]
    verdicts = [
        Verdict(id=r.id, decision=d, reasons=("x",)) for r, d in zip(records, ("drop", "keep"), strict=True)
    ]
    with pytest.raises(BrokenPromise, match=r"tiny/c@10: dropped, though it is .* not understood"):
        check_verdicts(verdicts, records, RULES, [], [], 0.0)
