"""The datasets as `get` hands them out: what their rows are, and which quests have such rows."""

from reconciler.app.looking.items import DatasetItem
from reconciler.app.planning.look import View, world_of
from reconciler.desired.dataset import Dataset, contract_of
from reconciler.desired.desired import Source
from reconciler.desired.queue import Quest
from reconciler.desired.unsupported import unsupported_dataset
from reconciler.plan.queue.datasets import not_checked
from state.contract.orders import RowShape


def datasets(view: View) -> tuple[DatasetItem, ...]:
    """Return every dataset, by id."""
    return tuple(_item(view, name, source) for name, source in sorted(view.desired.datasets.items()))


def _item(view: View, name: str, source: Source[Dataset]) -> DatasetItem:
    dataset, suspend = source.spec, source.spec.suspend
    contract = contract_of(name, dataset)
    told = [text for _, text in not_checked(dataset)]
    return DatasetItem(
        id=name,
        name=dataset.name,
        rows=shape_words(contract.shape)
        + (f", written as {dataset.profile.name}" if dataset.profile else ""),
        keys=contract.keys or (),
        required=contract.required,
        max_invalid_fraction=dataset.max_invalid_fraction,
        quests=tuple(quest.id for quest in view.quests if _is_of(view, quest, name)),
        suspended=suspend.words if suspend and world_of(view).is_suspended(suspend) else None,
        not_checked=(*told, *(one.reason for one in unsupported_dataset(dataset))),
        skill_id=dataset.skill_id,
        task_tags=dataset.task_tags,
        spec=source.path,
    )


def shape_words(shape: RowShape) -> str:
    """Return in a few words what of a row is what."""
    match shape.kind:
        case "messages":
            return "messages"
        case "text":
            return f"text in {shape.text}"
        case "fields":
            context = f" + {shape.context}" if shape.context else ""
            return f"{shape.prompt}{context} → {shape.completion}"


def _is_of(view: View, quest: Quest, dataset: str) -> bool:
    """Does a quest name the dataset, or do the rows of its file fit it and nothing else?"""
    if quest.dataset is not None or quest.file is None:
        return quest.dataset == dataset
    seen = view.facts.quest_files.get(quest.id)
    return seen is not None and seen.content is not None and seen.content.contract.name == dataset
