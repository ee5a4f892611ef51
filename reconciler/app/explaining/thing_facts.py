"""What is known about a thing, one line each, in words of people: for `explain`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from reconciler.app.explaining.lineage import lineage_of
from reconciler.app.looking.dataset_items import shape_words
from reconciler.app.looking.get import listing_of, source_of
from reconciler.app.looking.items import Item, TrashItem
from reconciler.app.looking.quest_states import quest_states
from reconciler.app.looking.status import status_of
from reconciler.app.looking.trash_items import trash
from reconciler.app.planning.look import View
from reconciler.app.surroundings.errors import NotFound
from reconciler.plan.dropped import quest_id_of
from reconciler.plan.keeping.kept import checkpoint_id, verdicts_of
from reconciler.plan.keeping.to_come import HOLDS
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.retries.reactions import reaction_to
from reconciler.plan.retries.retry import policy_of
from reconciler.plan.segments.words import told
from reconciler.plan.sentences import sentence_of
from reconciler.plan.world import World
from state.amounts import count, counts, duration, moment, size
from state.contract.lineage import lineage_text

_PLAIN_NAMES = {
    "size_b": "billions of parameters",
    "num_campaigns": "campaigns",
    "num_checkpoints": "checkpoints",
    "checkpoint_bytes": "size of checkpoints",
    "size_bytes": "size",
    "num_quests": "quests",
    "max_level": "highest level",
    "is_for": "for",
    "val_loss": "held-out loss",
    "train_loss": "loss",
    "max_invalid_fraction": "share that may be invalid",
    "training_file": "trained last",
    "timestamp": "saved",
    "skill_name": "skill examined",
    "skill_level": "highest level examined",
    "skill_metrics": "accuracy by skill",
    "has_optimizer": "optimizer state",
    "total_examples_trained": "examples trained",
    "verified_at": "read again",
    "locations": "copies elsewhere",
}
"""Fields whose names are not what a person would say."""
_TOLD_ELSEWHERE = frozenset({"id", "spec", "statistics", "message", "blocked", "source", "goal_updates"})
_OF_MACHINES = frozenset(
    {"hero_id", "campaign_id", "canonical_name", "ledger_version", "created_by", "segment"}
    | {"sequence", "healthy", "generation", "attempt", "linked_eval_ids"}
)
"""Fields of a checkpoint that its name says, or that are for programs."""
_MOST_QUESTS = 30
_MOST_FOREIGN = 10


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One line about the thing."""

    name: str
    text: str


_STATES_OF_DROPPED = {
    "changing": "may still be written: it changed a moment ago",
    "open": "open for writing in a program",
    "future": "changed in the future, by its time",
    "torn": "its last line is not complete",
    "unreadable": "cannot be read",
    "settled": "settled",
}


def facts_of(view: View, kind: str, name: str) -> Iterator[Fact]:
    """Yield what is known about a thing that is there.

    Raises:
        NotFound: a run of a campaign that has none.
    """
    yield from _FACTS[kind](view, name)


def _of_realm(view: View, _name: str) -> Iterator[Fact]:
    realm = view.desired.realm.spec
    yield Fact(name="id", text=realm.id)
    yield Fact(name="root", text=view.plan.root)
    yield Fact(name="active", text=realm.active or "no campaign")
    yield Fact(name="specs", text=view.commit.name)


def _of_root(view: View, _name: str) -> Iterator[Fact]:
    disk = view.facts.disk
    yield Fact(name="folder", text=disk.root)
    if not disk.exists:
        yield Fact(name="state", text="not there yet; apply creates it")
    network = ", over the network" if disk.is_network else ""
    yield Fact(name="file system", text=f"{disk.file_system or 'unknown'}{network}")
    if disk.free_bytes is not None and disk.total_bytes is not None:
        yield Fact(name="free", text=f"{size(disk.free_bytes)} of {size(disk.total_bytes)}")
    if view.facts.campaigns:
        seen = [found for one in view.facts.campaigns.values() for found in one.all_complete]
        taken = sum(found.size_bytes for found in seen)
        yield Fact(name="holds", text=f"{count(len(seen), 'checkpoint')}, {size(taken)}")
    for problem in disk.problems:
        yield Fact(name="problem", text=problem)


def _of_queue(view: View, _name: str) -> Iterator[Fact]:
    states = quest_states(view)
    for quest in view.quests[:_MOST_QUESTS]:
        told = [states[quest.id]]
        told += [quest.priority] if quest.priority != "normal" else []
        told += [f"for {', '.join(quest.for_)}"] if quest.for_ else []
        yield Fact(name=quest.id, text=", ".join(told))
    if (more := len(states) - _MOST_QUESTS) > 0:
        yield Fact(name="...", text=f"and {count(more, 'quest')} more: reconcile get quests")
    if not states:
        yield Fact(name="quests", text="none")
    health = status_of(view).queue_health
    yield Fact(name="health", text=f"{health.state}: {health.reason}")


def _of_retention(view: View, _name: str) -> Iterator[Fact]:
    source = view.desired.retention
    if source is None:
        yield Fact(name="rules", text="there are none: nothing is dropped")
        return
    for one in view.plan.kept:
        dropped = f", {one.num_dropped:,} dropped ({size(one.dropped_bytes)})" if one.num_dropped else ""
        yield Fact(name=one.campaign, text=f"{one.num_kept:,} kept ({size(one.kept_bytes)}){dropped}")
    if source.spec.pins:
        yield Fact(name="pins", text=", ".join(source.spec.pins))
    if source.spec.suspend is not None:
        yield Fact(name="suspended", text=source.spec.suspend.reason)


def _of_trash(view: View, _name: str) -> Iterator[Fact]:
    held = status_of(view).trash
    things = counts(campaign=held.num_campaigns, checkpoint=held.num_checkpoints)
    yield Fact(name="holds", text=f"{things}, {size(held.size_bytes)}" if things else "nothing of ours")
    if held.next_seconds is not None:
        yield Fact(name="first for good in", text=duration(held.next_seconds) or "two clean ticks")
    if held.num_foreign:
        yield Fact(name="not ours", text=f"{held.num_foreign:,}, never deleted")
    if things:
        yield Fact(name="to take back", text="reconcile get trash, then reconcile undelete NAME")


def _of_inbox(view: View, name: str) -> Iterator[Fact]:
    file = next((one for one in view.facts.inbox.files if one.name == name), None)
    taken = [row for row in view.facts.store.inbox if row.name == name]
    if file is not None:
        yield Fact(name="state", text=_STATES_OF_DROPPED[file.state])
        yield Fact(name="path", text=file.path)
        yield Fact(name="size", text=size(file.size_bytes))
        if file.changed_at is not None:
            yield Fact(name="changed", text=file.changed_at)
        if file.content is not None:
            rows = count(file.content.num_rows, "row")
            behind = f", behind {size(file.start_byte)} that were taken in before" if file.start_byte else ""
            yield Fact(name="rows", text=f"{rows} of {file.content.contract.name}{behind}")
        if (becomes := quest_id_of(file)) is not None:
            yield Fact(name="quest", text=becomes)
    for row in taken:
        yield Fact(
            name="taken in", text=f"{row.taken_at}: {count(row.num_rows, 'row')}, quest {row.quest_id}"
        )


def _of_quest(view: View, name: str) -> Iterator[Fact]:
    quest = next(one for one in view.quests if one.id == name)
    yield Fact(name="rows", text=source_of(quest))
    yield from _read_as(view, name)
    if (made := lineage_of(view, quest)) is not None:
        yield Fact(name="made by", text=lineage_text(made))
    for one in status_of(view).campaigns:
        run = one.run
        if run is not None and run.quest_id == name:
            loss = f", loss {run.loss:.3f}" if run.loss is not None else ""
            far = f"{run.quest_update or 0:,}/{run.quest_updates or 0:,}{loss}"
            yield Fact(name=run.phase, text=f"{far}, by {one.name} {run.run} on {run.device}")
    yield from _of_item("quests")(view, name)


def _read_as(view: View, quest: str) -> Iterator[Fact]:
    """Yield by which dataset, or built-in shape, the rows of a quest's file are read."""
    seen = view.facts.quest_files.get(quest)
    if seen is None or seen.content is None:
        return
    contract = seen.content.contract
    is_dataset = contract.name in view.desired.datasets
    said = f"dataset {contract.name}: {shape_words(contract.shape)}" if is_dataset else contract.name
    yield Fact(name="read as", text=said)


def _of_run(view: View, name: str) -> Iterator[Fact]:
    """Yield the facts of a run, or of a campaign's newest one."""
    campaign = "/".join(name.split("/")[:2])
    found = [item for item in listing_of(view, "runs").items if item.id.startswith(f"{campaign}/")]
    chosen = found[-1:] if name == campaign else [item for item in found if item.id == name]
    if not chosen:
        raise NotFound(f"campaign {campaign} has not been launched yet")
    yield Fact(name="run", text=chosen[0].id)
    yield from item_facts(chosen[0])
    if chosen[0].message:
        yield Fact(name="said", text=chosen[0].message)
    yield from _reaction(view, campaign, chosen[0].id)


def _reaction(view: View, campaign: str, run: str | None = None) -> Iterator[Fact]:
    """Yield why a campaign's run failed, the newest or the one named, and what follows from that."""
    row = view.facts.campaign_row(campaign)
    runs = view.facts.runs_of(row.uid) if row is not None else ()
    chosen = [one for one in runs if run in (None, f"{campaign}/g{one.generation}-a{one.attempt}")][-1:]
    for one in chosen:
        if one.failure_class is not None:
            policy = policy_of(view.desired.realm.spec)
            yield Fact(name="ended as", text=one.failure_class)
            yield Fact(name="then", text=reaction_to(one.failure_class, policy))


def _of_checkpoint(view: View, name: str) -> Iterator[Fact]:
    for item in listing_of(view, "checkpoints", name).items:
        yield from (fact for fact in item_facts(item, _OF_MACHINES))
    yield from _imported(view, name)
    yield from _verdict(view, name)
    yield from _in_the_trash(view, name)


def _imported(view: View, name: str) -> Iterator[Fact]:
    """Yield where a checkpoint was taken in from, and what nobody knows of it."""
    campaign, _, step = name.partition("@")
    seen = view.facts.campaigns.get(campaign)
    for found in seen.checkpoints.complete if seen is not None else ():
        imported = found.manifest.imported
        if imported is None or str(found.step) != step:
            continue
        yield Fact(name="imported from", text=f"{imported.source} ({imported.producer})")
        if imported.unused:
            yield Fact(name="not used", text=", ".join(imported.unused))
        if imported.unknown:
            yield Fact(name="not known", text=", ".join(imported.unknown).replace("_", " "))


def _of_campaign(view: View, name: str) -> Iterator[Fact]:
    yield from _of_item("campaigns")(view, name)
    yield from _without_a_spec(view, name)
    yield from _reaction(view, name)
    yield from _not_ours(view, name)
    yield from _awaiting(view, name)
    yield from _segments(view, name)
    yield from _in_the_trash(view, name)


def _without_a_spec(view: View, name: str) -> Iterator[Fact]:
    """Yield what a person can do about a campaign whose spec is gone; apply leaves it as it is."""
    row = view.facts.campaign_row(name)
    if row is not None and row.status != "deleted" and name not in view.desired.campaigns:
        file = f"specs/campaigns/{name}.yaml"
        yield Fact(
            name="ways out",
            text=f"bring {file} back; or write it with  state: deleted, to delete the campaign",
        )


def _segments(view: View, name: str) -> Iterator[Fact]:
    """Yield the segments of the campaign's history after its first one."""
    row = view.facts.campaign_row(name)
    for one in view.facts.segments_of(row.uid) if row is not None else ():
        living = " (living)" if row is not None and one.number == row.segment else ""
        yield Fact(name=f"segment {one.number}{living}", text=told(one))


def _not_ours(view: View, name: str) -> Iterator[Fact]:
    """Yield what lies among a campaign's checkpoints and is none of ours."""
    seen = view.facts.campaigns.get(name)
    foreign = seen.checkpoints.foreign if seen is not None else ()
    for one in foreign[:_MOST_FOREIGN]:
        yield Fact(name="not ours", text=f"{one.name}: {one.reason}")
    if (more := len(foreign) - _MOST_FOREIGN) > 0:
        yield Fact(name="...", text=f"and {more:,} more: reconcile get checkpoints {name}")


def _awaiting(view: View, campaign: str) -> Iterator[Fact]:
    """Yield each drop of the campaign that waits for an approval."""
    for change in view.plan.awaiting.changes if view.plan.awaiting else ():
        if getattr(change.action, "campaign", None) == campaign:
            said = sentence_of(change.action)
            text = f"{said.verb} {said.subject.partition(' ')[2]}: {change.reason}"
            yield Fact(name="for approval", text=text)


def _in_the_trash(view: View, name: str) -> Iterator[Fact]:
    """Yield until when something can be taken back out of the trash, and how."""
    for item in trash(view):
        if item.id == name and item.state == "trashed":
            yield _end_of(view, item)
            first = _before_it(view, name)
            yield Fact(name="to take back", text=f"{first}reconcile undelete {name}")


def _end_of(view: View, item: TrashItem) -> Fact:
    """Return when something in the trash is deleted for good; where the plan names what holds it, that."""
    subject = f"{item.thing}/{item.id}"
    if any(one.subject == subject and one.code in HOLDS for one in view.plan.blocked):
        return Fact(name="deleted for good", text="not while what is in its way stands (below)")
    if item.is_held:
        return Fact(name="deleted for good", text=f"held while {view.facts.deletions_wait_while}")
    left = duration(item.left_seconds) if item.left_seconds else "two clean ticks"
    return Fact(name="deleted for good in", text=left)


def _before_it(view: View, name: str) -> str:
    """Return what comes before a checkpoint is taken back whose campaign is deleted: that one comes back."""
    campaign, at, _ = name.partition("@")
    row = view.facts.campaign_row(campaign)
    is_second = bool(at) and row is not None and row.status == "deleted"
    return f"reconcile undelete {campaign}, and then " if is_second else ""


def _verdict(view: View, name: str) -> Iterator[Fact]:
    """Yield what retention says of a checkpoint; where it can say nothing, the plan blocks every drop."""
    row = view.facts.campaign_row(name.partition("@")[0])
    if row is None or view.desired.retention is None:
        return
    world = World(desired=view.desired, facts=view.facts, specs_commit=view.commit.id, now=view.seen_at)
    try:
        verdicts = {one.id: one for one in verdicts_of(world, row)}
    except MalformedRecords:
        return
    mine = {checkpoint_id(row, one, gone=False) for one in view.facts.ledger_of(row.uid)}
    if name in mine and (verdict := verdicts.get(name)) is not None:
        yield Fact(name="kept" if verdict.decision == "keep" else "not kept", text=", ".join(verdict.reasons))


def _of_dataset(view: View, name: str) -> Iterator[Fact]:
    yield from _of_item("datasets")(view, name)
    (dataset,) = listing_of(view, "datasets", name).items
    for quest in view.quests:
        if quest.id in dataset.quests and (made := lineage_of(view, quest)) is not None:
            yield Fact(name=f"{quest.id} made by", text=lineage_text(made))


def _of_item(many: str) -> Callable[[View, str], Iterator[Fact]]:
    """Return what yields the facts that `get` has of a thing of this kind."""

    def facts(view: View, name: str) -> Iterator[Fact]:
        for item in listing_of(view, many, name).items:
            yield from item_facts(item)

    return facts


def item_facts(item: Item, without: frozenset[str] = frozenset()) -> Iterator[Fact]:
    """Yield what a record says; what is empty, and what is told elsewhere, is left out."""
    for field in item.__struct_fields__:
        value = getattr(item, field)
        if field in _TOLD_ELSEWHERE | without or value in (None, "", (), {}, False):
            continue
        name = _PLAIN_NAMES.get(field) or field.removeprefix("is_").replace("_", " ")
        yield Fact(name=name, text=_said(field, value))


def _said(field: str, value: Any) -> str:
    match value:
        case True:
            return "yes"
        case tuple():
            return ", ".join(map(str, value))
        case dict():
            return "; ".join(f"{str(key).replace('_', ' ')} {_said(key, one)}" for key, one in value.items())
        case int() | float():
            return _amount(field, value)
        case _:
            return moment(value) if field == "timestamp" or field.endswith("_at") else str(value)


def _amount(field: str, value: float) -> str:
    if isinstance(value, int):
        return size(value) if field.endswith("_bytes") else f"{value:,}"
    if field.startswith("accuracy"):
        return f"{value:.0%}"
    return f"{value:.3f}" if field.endswith("loss") else f"{value:.4g}"


_FACTS: Mapping[str, Callable[[View, str], Iterator[Fact]]] = {
    "realm": _of_realm,
    "root": _of_root,
    "queue": _of_queue,
    "quest": _of_quest,
    "inbox": _of_inbox,
    "retention": _of_retention,
    "trash": _of_trash,
    "run": _of_run,
    "checkpoint": _of_checkpoint,
    "campaign": _of_campaign,
    "hero": _of_item("heroes"),
    "skill": _of_item("skills"),
    "dataset": _of_dataset,
}
"""Kind → what yields its facts."""
