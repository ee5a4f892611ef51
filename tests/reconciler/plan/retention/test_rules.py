"""Each rule by itself, each protection by itself, and the wrong turns of earlier systems that they must not take."""

import math

import pytest

from reconciler.plan.retention.records import Reference
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Best, Rules

LAST_ONE = Rules(last=1)
LOSS = Best(metric="val_loss", direction="lower")
ACCURACY = Best(metric="accuracy/bin", direction="higher")


def test_a_rolling_window_counts_healthy_ones(make, kept):
    records = [make(step, healthy=step not in (40, 50)) for step in (10, 20, 30, 40, 50, 60)]
    assert kept(records, Rules(last=3)) == [20, 30, 60]


def test_a_window_by_size_keeps_the_newest_that_fit_together_and_none_behind_the_first_that_does_not(
    make, kept
):
    records = [make(step, size_bytes=size) for step, size in ((10, 1), (20, 60), (30, 40), (40, 50))]
    assert kept(records, Rules(last_bytes=150)) == [20, 30, 40]
    assert kept(records, Rules(last_bytes=149)) == [30, 40]


def test_a_window_by_size_that_is_smaller_than_the_newest_drops_neither_that_nor_what_another_rule_keeps(
    make, kept
):
    """The wrong turn: a size cap deleted every checkpoint, newest included."""
    records = [make(step, size_bytes=50) for step in (10, 20, 30)]
    assert kept(records, Rules(last_bytes=1)) == [30]
    assert kept(records, Rules(last_bytes=1, every_steps=20), pins=["tiny/c@10"]) == [10, 20, 30]


def test_age_is_the_order_of_recording_and_never_the_step(make, kept):
    """Kills: ordering by step. After a rollback the newest checkpoint has the smaller step."""
    records = [make(100, 1), make(200, 2), make(300, 3), make(110, 4, segment=2)]
    assert kept(records, Rules(last=2)) == [300, 110]


def test_the_ledger_key_is_segment_and_step(make, kept):
    """The wrong turn: the ledger was keyed by bare step, where a rollback's checkpoint 100 hid the one of before."""
    records = [make(100, 1, id="c/s1@100"), make(100, 2, id="c/s2@100", segment=2), make(110, 3, segment=2)]
    verdicts = {verdict.id: verdict.decision for verdict in retain(records, LAST_ONE, pins=["c/s1@100"])}
    assert verdicts == {"c/s1@100": "keep", "c/s2@100": "drop", "tiny/c@110": "keep"}


def test_every_so_many_steps_keeps_the_first_at_or_after_each_multiple(make, kept):
    records = [make(step) for step in (50, 100, 150, 203, 290, 400, 450, 470)]
    assert kept(records, Rules(every_steps=100)) == [100, 203, 400, 470]


def test_a_rollback_begins_its_own_count_of_steps(make, kept):
    """Kills: steps of two segments in one row, where the older one's hid the newer one's."""
    records = [make(100, 1), make(150, 2), make(120, 3, segment=2, id="c/s2@120"), make(130, 4, segment=2)]
    assert kept(records, Rules(every_steps=100)) == [100, 120, 130]


def test_a_milestone_that_falls_between_two_saves_keeps_the_next(make, kept):
    records = [make(step, healthy=step != 203) for step in (50, 100, 203, 290, 400)]
    assert kept(records, Rules(milestones=(100, 200))) == [100, 203, 400]


def test_within_a_duration_is_relative_to_the_newest(make, kept):
    records = [make(step) for step in (0, 10, 50, 60)]
    assert kept(records, Rules(within_seconds=3600)) == [10, 50, 60]


def test_a_clock_that_was_set_back_makes_nothing_older(make, kept):
    """Kills: calendar rules by raw save time, where everything after a clock jump looked long gone."""
    records = [
        make(10),
        make(20),
        make(30, saved_at="1970-01-01T00:00:00Z"),
        make(40, saved_at="1970-01-01T00:10:00Z"),
    ]
    assert kept(records, Rules(within_seconds=60)) == [20, 30, 40]


def test_what_was_dropped_before_still_bounds_the_times_after_it(make, kept):
    """Without it, the clock would run backwards again once the witness of its jump is gone."""
    day = "2026-01-0{}T00:00:00Z".format
    records = [make(10, saved_at=day(1)), make(20, saved_at=day(3), gone=True), make(30, saved_at=day(1)),
               make(40, saved_at=day(3))]  # fmt: skip
    assert kept(records, Rules(daily=1)) == [40]
    assert kept(records, Rules(daily=2)) == [10, 40]


def test_accuracy_is_better_when_higher_and_loss_when_lower(make, kept):
    """Kills: best-by-accuracy returned the worst."""
    records = [
        make(10, metrics={"accuracy/bin": 0.9, "val_loss": 3.0}),
        make(20, metrics={"accuracy/bin": 0.1, "val_loss": 0.2}),
        make(30, metrics={"accuracy/bin": 0.5, "val_loss": 2.0}),
    ]
    assert kept(records, Rules(best=(ACCURACY,))) == [10, 30]
    assert kept(records, Rules(best=(LOSS,))) == [20, 30]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("best", [LOSS, ACCURACY], ids=lambda best: best.metric)
def test_what_is_not_finite_never_displaces_a_finite_best(make, kept, best, value):
    """Kills: NaN wins, by sorting with one NaN in the list."""
    records = [make(step, metrics={best.metric: value}) for step in (10, 20)]
    records += [
        make(30, metrics={best.metric: 0.5}),
        make(40, metrics={best.metric: value}),
        make(50, metrics={}),
    ]
    assert kept(records, Rules(best=(best,))) == [30, 50]


def test_of_equal_values_the_newer_is_the_best(make, kept):
    records = [make(step, metrics={"val_loss": 0.5}) for step in (10, 20, 30)] + [make(40, metrics={})]
    assert kept(records, Rules(best=(LOSS,))) == [30, 40]


def test_a_metric_that_is_only_declared_protects_its_one_best(make, kept):
    declared = Best(metric="val_loss", direction="lower", count=0)
    records = [make(step, metrics={"val_loss": loss}) for step, loss in ((10, 0.1), (20, 0.2), (30, 0.3))]
    assert kept(records, Rules(last=1, best=(declared,))) == [10, 30]


def test_a_pin_holds_the_checkpoint_that_it_names_and_no_other(make, kept):
    """The wrong turn: deleting step 100 matched 1000 and 10000."""
    records = [make(step) for step in (10, 100, 1000, 1001)]
    assert kept(records, LAST_ONE, pins=["tiny/c@100"]) == [100, 1001]
    assert kept(records, LAST_ONE, pins=["tiny/c@1000"]) == [1000, 1001]


def test_deleting_by_step_takes_the_whole_id(make):
    """Kills: deleting step 100 matched 1000; every id that is dropped is one of the input, whole."""
    records = [make(step) for step in (100, 1000, 10000)]
    gone = [
        verdict.id
        for verdict in retain(records, LAST_ONE, pins=["tiny/c@1000"])
        if verdict.decision == "drop"
    ]
    assert gone == ["tiny/c@100"]


def test_the_newest_stays_whatever_the_rules_say(make, kept):
    """The wrong turn: a size cap deleted every checkpoint, the newest included."""
    records = [make(step, metrics={}) for step in (10, 20, 30)]
    assert kept(records, Rules(tags=("release",))) == [30]
    assert kept(records, Rules(best=(LOSS,))) == [30]


def test_an_unhealthy_newest_stays_beside_the_newest_healthy_one(make, kept):
    records = [make(10), make(20), make(30, healthy=False), make(40, healthy=False)]
    assert kept(records, LAST_ONE) == [20, 40]


def test_what_something_refers_to_is_kept_with_the_reason(make):
    """Kills: jobs pointed at checkpoints that retention had deleted."""
    records = [make(10), make(20)]
    verdict, _ = retain(
        records, LAST_ONE, references=[Reference(id="tiny/c@10", reason="quest q1 begins there")]
    )
    assert (verdict.decision, verdict.reasons) == ("keep", ("quest q1 begins there",))


def test_what_was_recorded_a_moment_ago_is_kept_in_observed_time(make, kept):
    """A clock of years later in `saved_at` makes nothing old: only observed time counts."""
    records = [
        make(step, recorded_at_seconds=60.0 * step, saved_at="2001-01-01T00:00:00Z") for step in (10, 20, 30)
    ]
    rules = Rules(last=1, minimum_age_seconds=600)
    assert kept(records, rules, now=1199.0) == [10, 20, 30]
    assert kept(records, rules, now=1200.0) == [20, 30]
    assert kept(records, rules, now=1e9) == [30]


def test_what_was_recorded_in_the_future_of_observed_time_is_kept(make, kept):
    """So it looks where the store is an older copy."""
    assert kept([make(10, recorded_at_seconds=5.0), make(20)], LAST_ONE, now=4.0) == [10, 20]


def test_what_does_not_lie_there_whole_is_never_dropped(make, kept):
    records = [make(10, complete=False), make(20), make(30)]
    assert kept(records, LAST_ONE) == [10, 30]


def test_without_any_rule_everything_is_kept(make, kept):
    assert kept([make(10), make(20)], Rules()) == [10, 20]


def test_every_verdict_says_why(make):
    records = [make(10, healthy=False), make(20), make(30, tags=("release",)), make(40)]
    rules = Rules(last=1, daily=2, tags=("release",))
    assert [(verdict.decision, verdict.reasons) for verdict in retain(records, rules)] == [
        ("drop", ("not healthy, and nothing needs it",)),
        ("keep", ("oldest daily (2026-01-01)",)),
        ("keep", ("tagged release",)),
        ("keep", ("one of the last 1", "daily (2026-01-01)", "the newest healthy one", "the newest one")),
    ]
    assert retain([make(10), make(20)], LAST_ONE)[0].reasons == ("rolled out of the last 1",)
