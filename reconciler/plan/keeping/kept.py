"""What retention says of a campaign's checkpoints now: rules from the specs, records from ledger and disk."""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from reconciler.desired.metrics import direction_of, is_of_held_out_rows
from reconciler.desired.realm import duration_seconds, size_bytes
from reconciler.desired.retention import ActiveRules, ArchivedRules, KeepBest, Retention, Sets
from reconciler.plan.keeping.elsewhere import is_elsewhere
from reconciler.plan.keeping.milestones import milestone_steps
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.retention.records import MalformedRecords, Record, Reference, Verdict
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Best, Rules
from reconciler.plan.segments.releases import open_branch, stand_of
from reconciler.plan.segments.rollbacks import next_number, open_rewind, step_to_go_back_to
from reconciler.plan.world import World
from state.examinations import accuracies, versions_now
from state.store.rows import CampaignRow, LedgerRow

METRICS = ("train_loss", "val_loss")
"""Those that every checkpoint may have; examinations add `accuracy` and `accuracy/<skill>`."""
_VAL_LOSS = KeepBest(metric="val_loss")


def verdicts_of(world: World, row: CampaignRow, stock: Stock | None = None) -> tuple[Verdict, ...]:
    """Return what is to become of each checkpoint of a campaign, checked against every promise.

    What the rules keep once the campaign went back, as it is to, they keep before that, too.

    Raises:
        MalformedRecords: nothing can be said; the caller drops nothing.
    """
    retention = world.retention
    if retention is None:
        return ()
    rules = rules_of(world, retention.spec, row)
    pins, references = retention.spec.pins, tuple(references_to(world, row))
    now, *then = (
        tuple(judged(records, rules, pins, references, world.observed_now))
        for records in histories_of(world, stock or stock_of(world, row))
    )
    kept = {one.id: one for verdicts in then for one in verdicts if one.decision == "keep"}
    return tuple(kept.get(one.id, one) if one.decision == "drop" else one for one in now)


def judged(
    records: tuple[Record, ...],
    rules: Rules,
    pins: Collection[str],
    references: Collection[Reference],
    now: float,
) -> Iterator[Verdict]:
    """Yield a verdict for each record of a campaign, by stretch, checked against every promise.

    Raises:
        MalformedRecords: nothing can be said; the caller drops nothing.
    """
    from reconciler.plan.retention.invariants import check_verdicts

    for stretch in by_stretch(records):
        verdicts = retain(stretch, rules, pins, references, now)
        check_verdicts(verdicts, stretch, rules, pins, references, now)
        yield from verdicts


def by_stretch(records: tuple[Record, ...]) -> Iterator[tuple[Record, ...]]:
    """Yield the living history, then each segment that was left or branched off: the rules hold for each.

    So a rollback moves nothing out of the window of the newest, and the last of a segment stays.
    """
    numbers = {record.segment for record in records}
    if len(numbers) <= 1:
        yield records
        return
    for number in sorted(numbers):
        yield tuple(record for record in records if record.segment == number)


def drops_of(world: World, stock: Stock) -> dict[str, tuple[str, ...]]:
    """Return which of a campaign's checkpoints go, each with why; quickly where none can.

    Raises:
        MalformedRecords: nothing can be said; the caller drops nothing.
    """
    verdicts = verdicts_beyond_the_newest(world, stock)
    return {verdict.id: verdict.reasons for verdict in verdicts if verdict.decision == "drop"}


def verdicts_beyond_the_newest(world: World, stock: Stock) -> tuple[Verdict, ...]:
    """Return what is to become of each checkpoint; nothing, and quickly, where the newest window holds all.

    Raises:
        MalformedRecords: nothing can be said; the caller drops nothing.
    """
    retention = world.retention
    if retention is None or _has_room(stock, rules_for(retention.spec, stock.row).last):
        return ()
    return verdicts_of(world, stock.row, stock)


def _has_room(stock: Stock, last: int) -> bool:
    """Does the window of the newest hold everything that lies there? Then no other rule matters."""
    return len(stock.kept) <= last and not stock.lost and all([one.healthy for one in stock.kept])  # noqa: C419 - quicker


def rules_of(world: World, spec: Retention, row: CampaignRow) -> Rules:
    """Return the campaign's rules with the steps that people marked; without any rule nothing goes anyway."""
    rules = rules_for(spec, row)
    if not rules.keeps_by_rule:
        return rules
    return msgspec.structs.replace(rules, milestones=milestone_steps(world, row))


def set_name(row: CampaignRow) -> str:
    """Return which set of rules is for the campaign."""
    return "archived" if row.status == "archived" else "active"


def given_for(spec: Retention, row: CampaignRow) -> ActiveRules | ArchivedRules | None:
    """Return what the specs say for the campaign, archived or not; None: nothing."""
    return spec.campaigns.archived if row.status == "archived" else spec.campaigns.active


def rules_for(spec: Retention, row: CampaignRow) -> Rules:
    """Return the rules of a campaign; none where nothing may go."""
    return _rules(spec.campaigns, set_name(row), spec.minimum_age)


@lru_cache(maxsize=8)
def _rules(sets: Sets, name: str, minimum_age: str) -> Rules:
    """Return the rules of a set: those of a thousand campaigns are made once."""
    given = sets.archived if name == "archived" else sets.active
    if given is None or (isinstance(given, ArchivedRules) and not given.delete_intermediate):
        return Rules()
    return Rules(
        last=given.keep_checkpoints or 0,
        last_bytes=size_bytes(given.keep_size) if given.keep_size else None,
        every_steps=given.keep_every,
        within_seconds=duration_seconds(given.keep_within) if given.keep_within else None,
        best=tuple(_best(sets, given)),
        final=isinstance(given, ArchivedRules) and given.keep_final_checkpoint,
        tags=given.keep_tags,
        minimum_age_seconds=duration_seconds(minimum_age),
        hourly=given.keep_hourly or 0,
        daily=given.keep_daily or 0,
        weekly=given.keep_weekly or 0,
        monthly=given.keep_monthly or 0,
        yearly=given.keep_yearly or 0,
    )


def _best(sets: Sets, given: ActiveRules | ArchivedRules) -> Iterator[Best]:
    """Yield the metrics of these rules, then those of all rules, whose one best is protected."""
    others = [best for rules in (sets.active, sets.archived) if rules for best in rules.keep_best]
    wants_one = isinstance(given, ArchivedRules) and given.keep_best_checkpoint
    own = [(best, best.count) for best in given.keep_best]
    for best, count in [*own, *((best, int(wants_one)) for best in (others or [_VAL_LOSS]))]:
        direction = best.direction or direction_of(best.metric)
        if direction is None:
            raise MalformedRecords(f"the direction of {best.metric} is not known")
        yield Best(
            metric=best.metric,
            direction=direction,
            count=count,
            of_held_out_rows=is_of_held_out_rows(best.metric),
        )


def histories_of(world: World, stock: Stock) -> Iterator[tuple[Record, ...]]:
    """Yield the campaign's records as they are now, then as they are once it went back, where it is to."""
    yield records_of(world, stock)
    if (step := step_to_go_back_to(world, stock.row)) is not None:
        yield records_of(world, stock, back_at=step)


def records_of(world: World, stock: Stock, back_at: int | None = None) -> tuple[Record, ...]:
    """Return the campaign's ledger as retention reads it.

    `back_at`: as it will be read once the campaign went back to that step.
    """
    segments = world.facts.segments_of(stock.row.uid)
    living = stock.row.segment if back_at is None else next_number(segments)
    tags, examined_in = _tags(world), versions_now(stock.ledger)
    measured = world.facts.rows_measured(stock.row.uid)
    records = []
    for one in stock.ledger:
        gone = not stock.is_in_force(one) or world.facts.dropped(one) is not None
        name = checkpoint_id(stock.row, one, gone=gone)
        is_whole = stock.is_there(one) or is_elsewhere(world.facts, one)
        found = {"gone": gone, "complete": is_whole, "tags": tags.get(name, ())}
        is_left = back_at is not None and one.step > back_at
        found["segment"] = living if one.is_living and not is_left else one.segment
        records.append(_record(one, examined_in, id=name, measured_on=measured.of(one), **found))
    return tuple(records)


def metrics_of(one: LedgerRow, examined_in: Mapping[str, frozenset[str]] = {}) -> dict[str, float | None]:
    """Return what the ledger knows of a checkpoint, by the names that rules use.

    `examined_in`: skill → the versions of examination that are compared; another one says nothing here.
    """
    found = {"train_loss": one.train_loss, "val_loss": one.val_loss}
    return found | accuracies(one, examined_in) if one.skills_json else found


def _record(one: LedgerRow, examined_in: Mapping[str, frozenset[str]], **found: Any) -> Record:
    return Record(
        sequence=one.sequence,
        step=one.step,
        saved_at=one.timestamp,
        recorded_at_seconds=one.recorded_at_seconds,
        healthy=one.healthy,
        size_bytes=one.size_bytes,
        metrics=metrics_of(one, examined_in),
        **found,
    )


def _tags(world: World) -> dict[str, tuple[str, ...]]:
    """Return the tags of each checkpoint that has some."""
    found: dict[str, tuple[str, ...]] = {}
    retention = world.retention
    for tag, names in (retention.spec.tags if retention else {}).items():
        for name in names:
            found[name] = (*found.get(name, ()), tag)
    return found


def checkpoint_id(row: CampaignRow, one: LedgerRow, *, gone: bool) -> str:
    """Return what people call a checkpoint; one that is gone has its number, too."""
    name = f"{row.name}@{one.which}"
    return f"{name}#{one.sequence}" if gone else name


def references_to(world: World, row: CampaignRow) -> Iterator[Reference]:
    """Yield what needs a checkpoint of this campaign."""
    for which, reason in (*_of_training(world, row), *_of_jobs(world, row)):
        yield Reference(id=f"{row.name}@{which}", reason=reason)
    branch = open_branch(world, row) if world.facts.segments_of(row.uid) else None
    if branch is not None and (stand := stand_of(world, branch)) is not None:
        yield Reference(id=_name_by_digest(world, row, stand.digest), reason="a release goes on from it")
    if (rewind := open_rewind(world, row)) is not None:
        yield Reference(id=f"{row.name}@{rewind.to}", reason="its spec asks to go back to it")
    yield from lasting_references(world, row)


def _name_by_digest(world: World, row: CampaignRow, digest: str) -> str:
    found = (one.which for one in world.facts.ledger_of(row.uid) if one.digest == digest)
    return f"{row.name}@{next(found, digest)}"


def lasting_references(world: World, row: CampaignRow) -> Iterator[Reference]:
    """Yield what needs a checkpoint of this campaign however far it trains."""
    for which, reason in _of_people(world, row):
        yield Reference(id=f"{row.name}@{which}", reason=reason)
    if row.starting_checkpoint is not None:
        yield Reference(id=f"{row.name}@{row.starting_step}", reason="its own starting point")
    for name, checkpoint in world.starting_points.get(row.name, ()):
        yield Reference(id=checkpoint, reason=f"starting point of {name}")


def _of_training(world: World, row: CampaignRow) -> Iterator[tuple[str, str]]:
    newest = world.newest_checkpoint(row.name)
    if newest is not None:
        yield str(newest.step), "training goes on from it"
    for run in world.facts.runs_of(row.uid):
        if run.state != "ended" and run.resume_step is not None:
            yield _which(world, row, run.segment, run.resume_step), "a run began from it"


def _of_jobs(world: World, row: CampaignRow) -> Iterator[tuple[str, str]]:
    """Yield where the open jobs began: the checkpoint before the first update of each.

    A rollback lets each begin anew that began later, so all of them began in the living history.
    """
    for job in world.facts.jobs_of(row.uid):
        if job.status in ("queued", "processing") and job.start_step is not None:
            yield str(job.start_step - 1), f"quest {job.quest_id} began there"


def _of_people(world: World, row: CampaignRow) -> Iterator[tuple[str, str]]:
    for stone in world.facts.taken_back.get(row.uid, ()):
        yield stone.which, "a person took it back"


def _which(world: World, row: CampaignRow, segment: int, step: int) -> str:
    """Return what a segment's step is called; one that it never saved itself is of the living history."""
    own = (one for one in world.facts.ledger_of(row.uid) if (one.segment, one.step) == (segment, step))
    return next((one.which for one in own), str(step))
