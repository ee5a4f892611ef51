"""Datasets: what of a contract nobody checks is told, so that it is not taken for a promise."""

from reconciler.desired.dataset import Dataset
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.invariants import is_understood
from state.contract.row_contracts import KNOWN_TYPES, is_known_type


def plan_datasets(world: World, draft: Draft) -> None:
    """Warn of sentences and types in datasets that this version does not understand."""
    for name, source in world.desired.datasets.items():
        draft.settle(f"dataset/{name}")
        draft.warnings.extend(f"{source.where(*at)}: {text}" for at, text in _not_checked(source.spec))


def _not_checked(dataset: Dataset) -> list[tuple[tuple[str | int, ...], str]]:
    sentences: list[tuple[tuple[str | int, ...], str]] = [
        (("invariants", index), f'not checked, not one of the sentences that are understood: "{sentence}"')
        for index, sentence in enumerate(dataset.invariants)
        if not is_understood(sentence)
    ]
    types = [
        (("schema", key), f'not checked: "{word}" is no type of {", ".join(KNOWN_TYPES)} or list[...]')
        for key, word in dataset.row_schema.items()
        if not is_known_type(word)
    ]
    return sentences + types
