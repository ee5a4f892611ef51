"""Datasets: what of a contract nobody checks is told, so that it is not taken for a promise."""

from reconciler.desired.dataset import Dataset
from reconciler.desired.places import KeyPath
from reconciler.desired.unsupported import unsupported_dataset
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.invariants import is_understood
from state.contract.row_contracts import KNOWN_TYPES, is_known_type


def plan_datasets(world: World, draft: Draft) -> None:
    """Warn of what datasets say that this version does not understand, or does nothing about."""
    for name, source in world.desired.datasets.items():
        draft.settle(f"dataset/{name}")
        found = (
            *not_checked(source.spec),
            *((one.path, one.reason) for one in unsupported_dataset(source.spec)),
        )
        draft.warnings.extend(f"{source.where(*at)}: {text}" for at, text in found)


def not_checked(dataset: Dataset) -> list[tuple[KeyPath, str]]:
    """Return each sentence and type that is not understood, and where it stands."""
    sentences: list[tuple[KeyPath, str]] = [
        (("invariants", index), f'not checked, not one of the sentences that are understood: "{sentence}"')
        for index, sentence in enumerate(dataset.invariants)
        if not is_understood(sentence)
    ]
    types: list[tuple[KeyPath, str]] = [
        (("schema", key), f'not checked: "{word}" is no type of {", ".join(KNOWN_TYPES)} or list[...]')
        for key, word in dataset.row_schema.items()
        if not is_known_type(word)
    ]
    return sentences + types
