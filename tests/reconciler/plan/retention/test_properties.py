"""What holds of every result of `retain`, whatever the history, the rules, and what refers to its checkpoints."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rules_alone import rules_alone

from reconciler.plan.retention.history import history_of
from reconciler.plan.retention.invariants import check_verdicts
from reconciler.plan.retention.records import Record, Reference
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Best, Rules

quick = settings(
    max_examples=80, deadline=None, phases=[phase for phase in Phase if phase is not Phase.explain]
)
CYCLE = timedelta(days=146_097)
"""400 years: after so many days the calendar and its weeks begin anew."""

values = st.one_of(st.none(), st.floats(0, 4), st.sampled_from([math.nan, math.inf, -math.inf, 0.5]))
rows = st.sampled_from(["", "quest a", "quest b", "quest c"])
seconds = st.integers(0, 10**6).map(float)
times = st.one_of(
    st.integers(0, 120 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(-3000, 3000).map(lambda days: timedelta(days=days)),
).map(lambda later: (datetime(2025, 11, 1, tzinfo=UTC) + later).isoformat())


@st.composite
def histories(draw) -> list[Record]:
    """Draw the ledger of a campaign: gaps, rollbacks, clocks that jump, losses that are no numbers."""
    places = draw(
        st.lists(st.tuples(st.sampled_from([1, 1, 1, 2]), st.integers(0, 60)), unique=True, max_size=16)
    )
    sequences = draw(st.lists(st.integers(0, 10**6), unique=True, min_size=len(places), max_size=len(places)))
    records = [
        Record(
            id=f"tiny/c/{segment}@{step}", sequence=sequence, segment=segment, step=step, saved_at=draw(times),
            recorded_at_seconds=draw(seconds), healthy=draw(st.integers(0, 4)) > 0, complete=draw(st.integers(0, 6)) > 0,
            metrics={"val_loss": draw(values), "accuracy/bin": draw(values)}, measured_on=draw(rows),
            tags=("release",) if draw(st.integers(0, 9)) == 0 else (), gone=draw(st.integers(0, 9)) == 0,
            size_bytes=draw(st.integers(0, 9)),
        )
        for (segment, step), sequence in zip(places, sequences, strict=True)
    ]  # fmt: skip
    return draw(st.permutations(records))


counts = st.sampled_from([0, 0, 0, 1, 2, 5, -1])
metrics = st.sampled_from([("val_loss", "lower"), ("accuracy/bin", "higher")])
bests = st.lists(st.tuples(metrics, st.sampled_from([0, 1, 3, -1])), max_size=2).map(
    lambda given: tuple(
        Best(metric=name, direction=way, count=count, of_held_out_rows=name == "val_loss")
        for (name, way), count in given
    )
)
rule_sets = st.builds(
    Rules,
    last=counts, hourly=counts, daily=counts, weekly=counts, monthly=counts, yearly=counts,
    every_steps=st.one_of(st.none(), st.integers(1, 40)),
    last_bytes=st.one_of(st.none(), st.integers(0, 30)),
    within_seconds=st.one_of(st.none(), st.floats(60, 1e7)),
    best=bests, final=st.booleans(), tags=st.sampled_from([(), ("release",)]),
    milestones=st.lists(st.integers(0, 60), max_size=2).map(tuple),
    minimum_age_seconds=st.sampled_from([0.0, 600.0]),
).filter(lambda rules: rules.keeps_by_rule)  # fmt: skip


@st.composite
def situations(draw):
    """Draw a history, rules, and what is pinned or needed: mostly checkpoints that there are."""
    records = draw(histories())
    ids = st.sampled_from([record.id for record in records] or ["tiny/c/1@0"]) | st.just("tiny/c/1@1000")
    pins = draw(st.lists(ids, max_size=3))
    references = [Reference(id=one, reason="a job") for one in draw(st.lists(ids, max_size=3))]
    return records, draw(rule_sets), pins, references, draw(seconds)


def dropped(*situation) -> set[str]:
    return {verdict.id for verdict in retain(*situation) if verdict.decision == "drop"}


@quick
@given(situations())
def test_keep_and_drop_split_the_input_and_every_verdict_has_a_reason(situation):
    verdicts = retain(*situation)
    there = [record.id for record in situation[0] if not record.gone]
    assert sorted(verdict.id for verdict in verdicts) == sorted(there)
    assert all(verdict.reasons and all(verdict.reasons) for verdict in verdicts)


@quick
@given(situations())
def test_nothing_protected_is_dropped(situation):
    """Kills: a size cap that deleted every checkpoint, newest included; jobs that pointed at what was deleted."""
    everything, rules, pins, references, now = situation
    records = [record for record in everything if not record.gone]
    gone = dropped(*situation)
    assert not gone & {*pins, *(reference.id for reference in references)}
    assert not gone & {record.id for record in records if not record.complete}
    assert not gone & {
        record.id for record in records if now - record.recorded_at_seconds < rules.minimum_age_seconds
    }
    complete = [record for record in records if record.complete]
    healthy = [record for record in complete if record.healthy]
    for group in (complete, healthy):
        assert not group or max(group, key=lambda record: record.sequence).id not in gone
    for best in rules.best:
        measured = [record.metrics[best.metric] for record in healthy]
        finite = [value for value in measured if value is not None and math.isfinite(value)]
        extreme = (min if best.direction == "lower" else max)(finite, default=None)
        of_value = [record.id for record in healthy if record.metrics[best.metric] == extreme]
        assert extreme is None or set(of_value) - gone
    assert not gone & {record.id for record in records if record.recorded_at_seconds > now}


@quick
@given(situations())
def test_a_campaign_with_a_complete_checkpoint_keeps_one(situation):
    complete = {record.id for record in situation[0] if record.complete and not record.gone}
    assert not complete or complete - dropped(*situation)


@quick
@given(situations())
def test_applying_twice_drops_nothing_more(situation):
    records, *rest = situation
    gone = dropped(*situation)
    after = [msgspec.structs.replace(one, gone=one.gone or one.id in gone) for one in records]
    assert not dropped(after, *rest)


@quick
@given(situations(), situations())
def test_one_more_pin_job_transfer_or_rule_never_drops_more(situation, other):
    records, rules, pins, references, now = situation
    gone = dropped(*situation)
    assert dropped(records, rules, [*pins, *other[2]], [*references, *other[3]], now) <= gone
    more = other[1]
    for name in ("last", "hourly", "daily", "weekly", "monthly", "yearly"):
        if getattr(rules, name) == 0:
            added = msgspec.structs.replace(rules, **{name: getattr(more, name)})
            assert dropped(records, added, pins, references, now) <= gone
    added = msgspec.structs.replace(
        rules,
        best=(*rules.best, *more.best),
        milestones=(*rules.milestones, *more.milestones),
        tags=("release",),
        final=True,
        every_steps=rules.every_steps or more.every_steps,
        last_bytes=more.last_bytes if rules.last_bytes is None else rules.last_bytes,
        within_seconds=rules.within_seconds or more.within_seconds,
    )
    assert dropped(records, added, pins, references, now) <= gone


@quick
@given(situations())
def test_what_is_best_on_the_newest_rows_is_kept_beside_the_best_of_all(situation):
    """Never instead of it: who compares on the same rows alone drops no more."""
    records, rules, *rest = situation
    of_all = [msgspec.structs.replace(best, of_held_out_rows=False) for best in rules.best]
    before = msgspec.structs.replace(rules, best=tuple(of_all))
    assert dropped(*situation) <= dropped(records, before, *rest)


@quick
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(situation, random):
    records, *rest = situation
    shuffled = list(records)
    random.shuffle(shuffled)
    assert retain(shuffled, *rest) == retain(*situation)


@quick
@given(situations(), st.integers(1, 10), seconds)
def test_shifts_of_time_do_not_matter(situation, cycles, seconds):
    """Both clocks at once: that of the save times, by whole cycles of the calendar, and observed time."""
    records, rules, pins, references, now = situation
    moved = [
        msgspec.structs.replace(
            record,
            saved_at=_later(record.saved_at, cycles * CYCLE),
            recorded_at_seconds=record.recorded_at_seconds + seconds,
        )
        for record in records
    ]
    assert dropped(moved, rules, pins, references, now + seconds) == dropped(*situation)


@quick
@given(situations(), st.timedeltas(timedelta(0), timedelta(days=900)))
def test_without_calendar_rules_any_shift_of_the_save_times_does_not_matter(situation, shift):
    records, rules, *rest = situation
    rules = msgspec.structs.replace(rules, last=3, hourly=0, daily=0, weekly=0, monthly=0, yearly=0)
    shift = timedelta(seconds=int(shift.total_seconds()))
    moved = [msgspec.structs.replace(one, saved_at=_later(one.saved_at, shift)) for one in records]
    assert dropped(moved, rules, *rest) == dropped(records, rules, *rest)


@quick
@given(situations())
def test_the_rules_keep_what_a_plain_reading_of_them_keeps(reference, situation):
    """Kills each wrong turn inside a rule: it is written down twice, by different means."""
    records, rules, *_ = situation
    assert rules_alone(history_of(records), rules) == reference.kept_by_rules(records, rules)


@quick
@given(situations())
def test_the_check_of_every_real_plan_agrees(situation):
    records, rules, pins, references, now = situation
    check_verdicts(retain(*situation), records, rules, pins, references, now)


@quick
@given(situations())
def test_steps_and_names_decide_nothing_about_age(situation):
    """Kills: age judged by step. The same history with its steps in reverse keeps the same ones by age."""
    records, rules, pins, references, now = situation
    rules = msgspec.structs.replace(rules, last=3, last_bytes=None, every_steps=None, milestones=())
    mirrored = [msgspec.structs.replace(record, step=1000 - record.step) for record in records]
    assert dropped(mirrored, rules, pins, references, now) == dropped(records, rules, pins, references, now)


def _later(text: str, shift: timedelta) -> str:
    return (datetime.fromisoformat(text) + shift).isoformat()
