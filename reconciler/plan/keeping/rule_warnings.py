"""What of `retention.yaml` has no effect: pins of nothing, tags that no rule names, metrics not measured."""

from collections.abc import Iterator, Sequence
from math import isfinite

from reconciler.desired.desired import Source
from reconciler.desired.layers import held_out_of, layers_of, resolve
from reconciler.desired.retention import KeepBest, Retention
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import METRICS, metrics_of, rules_for, set_name
from reconciler.plan.keeping.marks import unkept_tags
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.world import World
from state.examinations import versions_now
from state.store.rows import CampaignRow, LedgerRow


def warn_of_pins(draft: Draft, stock: Stock, retention: Source[Retention]) -> None:
    """Name the pins that hold nothing: a wrong step protects nobody."""
    if not retention.spec.pins:
        return
    campaign = stock.row.name
    own = [(place, pin) for place, pin in enumerate(retention.spec.pins) if pin.startswith(f"{campaign}@")]
    known = {f"{campaign}@{one.which}" for one in stock.ledger} if own else ()
    for place, pin in own:
        if pin not in known:
            where = retention.where("pins", place)
            draft.warnings.append(f"{where}: {pin} is pinned, and there is no such checkpoint")


def warn_of_unknown(world: World, draft: Draft, retention: Source[Retention]) -> None:
    """Name the pins and tags of campaigns that nobody knows, and the tags of steps that were never saved."""
    for place, pin in enumerate(retention.spec.pins):
        if world.facts.campaign_row(pin.partition("@")[0]) is None:
            where = retention.where("pins", place)
            draft.warnings.append(f"{where}: {pin} is pinned, and {_missing(world, pin)}")
    for tag, names in retention.spec.tags.items():
        for place, name in enumerate(names):
            if not _is_saved(world, name):
                where = retention.where("tags", tag, place)
                draft.warnings.append(f"{where}: {name} is tagged {tag}, and {_missing(world, name)}")


def warn_of_loose_tags(world: World, draft: Draft, retention: Source[Retention]) -> None:
    """Name the tags that keep nothing: no `keep_tags` names them, or names another one by mistake."""
    spec = retention.spec
    for tag, names in spec.tags.items():
        found = ((name, _loose_of(world, spec, tag, name)) for name in names)
        loose = [(name, row) for name, row in found if row is not None]
        if loose:
            where = retention.where("tags", tag)
            draft.warnings.append(f"{where}: {_keeps_nothing(spec, tag, len(loose), *loose[0])}")


def _keeps_nothing(spec: Retention, tag: str, num_loose: int, name: str, row: CampaignRow) -> str:
    who = f"{name} and {num_loose - 1} more are" if num_loose > 1 else f"{name} is"
    unknown = next((one for one in rules_for(spec, row).tags if one not in spec.tags), None)
    mistake = f' ("{unknown}", which it names, is no tag)' if unknown is not None else ""
    rules = f"keep_tags of campaigns.{set_name(row)}"
    return (
        f"{who} tagged {tag}, which {rules} does not name{mistake}: no rule keeps what has this tag; "
        f"write keep_tags: [{tag}] there"
    )


def _loose_of(world: World, spec: Retention, tag: str, name: str) -> CampaignRow | None:
    """Return the campaign of a checkpoint that lies there and that its tag does not keep, nor a pin."""
    row = world.facts.campaign_row(name.partition("@")[0])
    if row is None or name in spec.pins or not rules_for(spec, row).keeps_by_rule:
        return None
    which = name.partition("@")[2]
    lies = any(one.which == which for one in stock_of(world, row).kept)
    return row if lies and tag in unkept_tags(spec, row, name) else None


def _is_saved(world: World, name: str) -> bool:
    campaign, _, which = name.partition("@")
    row = world.facts.campaign_row(campaign)
    return row is not None and any(one.which == which for one in world.facts.ledger_of(row.uid))


def _missing(world: World, name: str) -> str:
    from state.former_names import several_had  # only for what names nothing

    campaign = name.partition("@")[0]
    if (had := several_had(world.facts.store.campaigns, campaign)) is not None:
        return f"{had}: none has it now"
    is_known = campaign in world.desired.campaigns or world.facts.campaign_row(campaign) is not None
    return "there is no such checkpoint" if is_known else f"there is no campaign {campaign}"


def warn_of_metrics(world: World, draft: Draft, retention: Source[Retention]) -> None:
    """Name the rules whose metric no checkpoint has: they keep nothing until it is measured."""
    for name, place, best in _rules(retention.spec):
        if _is_unmeasured(world, name, best.metric) and _is_due(world, name, best.metric):
            where = retention.where("campaigns", name, "keep_best", place, "metric")
            known = sorted({*METRICS, *_names(world, name)})
            measured = [metric for metric in known if not _is_unmeasured(world, name, metric)]
            draft.warnings.append(
                f"{where}: no checkpoint of the {name} campaigns has {best.metric}: this rule keeps none "
                f"until one is measured (so far: {', '.join(measured) or 'nothing'})"
            )


def _rules(spec: Retention) -> Iterator[tuple[str, int, KeepBest]]:
    for name, rules in (("active", spec.campaigns.active), ("archived", spec.campaigns.archived)):
        for place, best in enumerate(rules.keep_best if rules else ()):
            yield name, place, best


def _is_unmeasured(world: World, name: str, metric: str) -> bool:
    """Are there checkpoints in the campaigns of this set, and none of them has the metric?"""
    rows = [row for row in world.facts.store.campaigns if set_name(row) == name]
    ledgers = [world.facts.ledger_of(row.uid) for row in rows]
    values = (value for ledger in ledgers for value in _values(ledger, metric))
    return any(ledgers) and not any(value is not None and isfinite(value) for value in values)


def _is_due(world: World, name: str, metric: str) -> bool:
    """Should a checkpoint of this set have the metric by now, or will none ever?

    A held-out loss belongs to a checkpoint where it is measured at its very step: at the end of a quest, and
    where saves and measures at their intervals meet. A pause before that saves without one.
    """
    rows = (row for row in world.facts.store.campaigns if set_name(row) == name)
    return metric != "val_loss" or any(_is_loss_due(world, row) for row in rows)


def _is_loss_due(world: World, row: CampaignRow) -> bool:
    ledger = world.facts.ledger_of(row.uid)
    if not ledger:
        return False
    if row.name not in world.desired.campaigns or not held_out_of(world.desired, row.name):
        return True  # nobody measures it any more
    settings = resolve(layers_of(world.desired, row.name))
    intervals = [int(settings[f"{key}.every_updates"].value) for key in ("evaluation", "checkpoint")]
    is_learnt = any(job.status == "completed" for job in world.facts.jobs_of(row.uid))
    return is_learnt or max(one.step for one in ledger) >= max(intervals)


def _names(world: World, name: str) -> Iterator[str]:
    """Yield the metrics that examinations gave the checkpoints of this set."""
    for row in world.facts.store.campaigns:
        ledger = world.facts.ledger_of(row.uid) if set_name(row) == name else ()
        examined_in = versions_now(ledger) if any(one.skills_json for one in ledger) else {}
        for one in ledger:
            if one.skills_json:
                yield from metrics_of(one, examined_in)


def _values(ledger: Sequence[LedgerRow], metric: str) -> Iterator[float | None]:
    """Yield a metric of the checkpoints that may have it; an accuracy of those that are compared now."""
    is_examined = metric not in METRICS
    examined_in = versions_now(ledger) if is_examined else {}
    for one in ledger:
        if one.skills_json or not is_examined:
            yield metrics_of(one, examined_in).get(metric)
