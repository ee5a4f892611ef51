"""What is known of what the realm has one of: itself, its root, its queue, its retention."""

from collections.abc import Iterator

from reconciler.app.explaining.item_facts import Fact
from reconciler.app.looking.quest_states import quest_states
from reconciler.app.looking.status import status_of
from reconciler.app.planning.look import View, world_of
from state.amounts import count, moment, size

_MOST_QUESTS = 30


def realm_facts(view: View, _name: str) -> Iterator[Fact]:
    realm = view.desired.realm.spec
    yield Fact(name="id", text=realm.id)
    yield Fact(name="root", text=view.plan.root)
    yield Fact(name="active", text=realm.active or "no campaign")
    yield Fact(name="specs", text=view.commit.name)


def root_facts(view: View, _name: str) -> Iterator[Fact]:
    disk = view.facts.disk
    yield Fact(name="folder", text=disk.root)
    use = view.facts.root_use
    if use is not None and use.is_gone:
        yield Fact(name="state", text=f"gone: in use here since {moment(use.since)}, and nothing is there")
    elif not disk.exists:
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


def queue_facts(view: View, _name: str) -> Iterator[Fact]:
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
    yield Fact(name="health", text=health.text)


def retention_facts(view: View, _name: str) -> Iterator[Fact]:
    source = view.desired.retention
    if source is None:
        yield Fact(name="rules", text="there are none: nothing is dropped")
        return
    for one in view.plan.kept:
        dropped = f", {one.num_dropped:,} dropped ({size(one.dropped_bytes)})" if one.num_dropped else ""
        yield Fact(name=one.campaign, text=f"{one.num_kept:,} kept ({size(one.kept_bytes)}){dropped}")
    if source.spec.pins:
        yield Fact(name="pins", text=", ".join(source.spec.pins))
    for tag, names in source.spec.tags.items():
        yield Fact(name=f"tagged {tag}", text=", ".join(names))
    if (suspend := source.spec.suspend) is not None and world_of(view).is_suspended(suspend):
        yield Fact(name="rules", text=suspend.words)
