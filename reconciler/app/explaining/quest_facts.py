"""What is known of rows to train: a file of the inbox, a quest, a dataset."""

from collections.abc import Iterator

from reconciler.app.explaining.item_facts import Fact, listed_facts_of
from reconciler.app.explaining.lineage import lineage_of, lineage_problems
from reconciler.app.explaining.rows_learnt import rows_learnt
from reconciler.app.looking.dataset_items import shape_words
from reconciler.app.looking.get import listing_of, source_of
from reconciler.app.looking.status import status_of
from reconciler.app.planning.look import View
from reconciler.plan.dropped import quest_id_of
from state.amounts import count, moment, size
from state.contract.lineage import lineage_text

_STATES_OF_DROPPED = {
    "changing": "may still be written: it changed a moment ago",
    "open": "open for writing in a program",
    "future": "changed in the future, by its time",
    "torn": "its last line is not complete",
    "unreadable": "cannot be read",
    "settled": "settled",
}


def inbox_facts(view: View, name: str) -> Iterator[Fact]:
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


def quest_facts(view: View, name: str) -> Iterator[Fact]:
    quest = next(one for one in view.quests if one.id == name)
    yield Fact(name="rows", text=source_of(quest))
    yield from _read_as(view, name)
    if (made := lineage_of(view, quest)) is not None:
        yield Fact(name="made by", text=lineage_text(made))
    yield from (Fact(name="lineage", text=problem) for problem in lineage_problems(view, quest))
    for one in status_of(view).campaigns:
        run = one.run
        if run is not None and run.quest_id == name:
            loss = f", loss {run.loss:.3f}" if run.loss is not None else ""
            far = f"{run.quest_update or 0:,}/{run.quest_updates or 0:,}{loss}"
            yield Fact(name=run.phase, text=f"{far}, by {one.name} {run.run} on {run.device}")
    yield from _sent_behind(view, name)
    yield from _learnt(view, name)
    yield from listed_facts_of("quests")(view, name)


def _sent_behind(view: View, quest: str) -> Iterator[Fact]:
    """Yield who skipped a quest, and why: what is left of it goes behind all others."""
    for job in view.facts.store.jobs:
        if job.quest_id == quest and job.status in ("queued", "processing") and job.demoted:
            why = job.last_error or "it failed twice"
            yield Fact(name="behind all others", text=f"{why}; by {job.hero_id}/{job.campaign_id}")


def _learnt(view: View, quest: str) -> Iterator[Fact]:
    """Yield what became of a quest that is completed, by campaign and part, in the order of learning."""
    for job in sorted(view.facts.store.jobs, key=lambda job: (job.finished_at or "", job.final_step or 0)):
        if job.quest_id != quest or job.status != "completed":
            continue
        told = [f"{rows_learnt(view, job)}, {count(job.epochs, 'epoch')}"]
        if job.start_step is not None and job.final_step is not None:
            told.append(f"steps {job.start_step:,} to {job.final_step:,}")
        losses = (("loss", job.final_loss), ("held-out loss", job.final_val_loss))
        told += [f"{name} {value:.3f}" for name, value in losses if value is not None]
        told += [f"finished {moment(job.finished_at)}"] if job.finished_at is not None else []
        yield Fact(name="learnt", text=f"by {job.hero_id}/{job.campaign_id}: {', '.join(told)}")


def _read_as(view: View, quest: str) -> Iterator[Fact]:
    """Yield by which dataset, or built-in shape, the rows of a quest's file are read."""
    seen = view.facts.quest_files.get(quest)
    if seen is None or seen.content is None:
        return
    contract = seen.content.contract
    is_dataset = contract.name in view.desired.datasets
    said = f"dataset {contract.name}: {shape_words(contract.shape)}" if is_dataset else contract.name
    yield Fact(name="read as", text=said)


def dataset_facts(view: View, name: str) -> Iterator[Fact]:
    yield from listed_facts_of("datasets")(view, name)
    (dataset,) = listing_of(view, "datasets", name).items
    for quest in view.quests:
        if quest.id in dataset.quests and (made := lineage_of(view, quest)) is not None:
            yield Fact(name=f"{quest.id} made by", text=lineage_text(made))
