"""What the trash holds under the name of a tombstone. Pure."""

import re
from collections.abc import Iterator

from reconciler.observed.facts import Facts
from state.ids import checkpoint_folder, deleted_folder
from state.store.rows import LedgerRow, TrashRow


def dropped_name(row: LedgerRow) -> str:
    """Return the name that a checkpoint has in the trash once it is dropped."""
    return f"{row.campaign_uid}-{row.sequence}-{checkpoint_folder(row.step)}"


_OURS = re.compile(r"[0-9a-f]{16}-(?:[0-9]+-checkpoint-[0-9]+|campaign)", re.ASCII)


def dropped_since(facts: Facts) -> frozenset[str]:
    """Return what lies in the trash with a tombstone that the store, an older copy, does not know yet."""
    if facts.store.older_copy is None:
        return frozenset()
    known = {folder_name(stone) for stone in facts.store.trash}
    lying = facts.trash.folders - known
    return frozenset(name for name in lying if _OURS.fullmatch(name) and _has_stone(facts, name))


def told_of_nowhere(facts: Facts) -> frozenset[str]:
    """Return what lies in the trash under the name of something dropped, in no tombstone and in no ledger."""
    known = {folder_name(stone) for stone in facts.store.trash}
    lying = {name for name in facts.trash.folders - known if _OURS.fullmatch(name)} - dropped_since(facts)
    return frozenset(lying - {dropped_name(row) for row in facts.store.ledger} if lying else ())


def stones_since(facts: Facts) -> frozenset[str]:
    """Return the tombstones in the trash beside such a store: also of what was deleted for good meanwhile."""
    if facts.store.older_copy is None:
        return frozenset()
    return frozenset(name for name in facts.trash.files if _OURS.fullmatch(name.removesuffix(".json")))


def told_since(facts: Facts) -> Iterator[LedgerRow]:
    """Yield what the ledger of such a store calls there, and what tombstones in the trash tell of."""
    for row in facts.store.campaigns:
        is_whole = _has_stone(facts, deleted_folder(row.uid))
        for one in facts.ledger_of(row.uid):
            if facts.tombstone(one) is None and (is_whole or _has_stone(facts, dropped_name(one))):
                yield one


def _has_stone(facts: Facts, name: str) -> bool:
    return f"{name}.json" in facts.trash.files


def folder_name(stone: TrashRow) -> str:
    """Return the name in the trash of what was dropped."""
    return stone.path.rpartition("/")[2]


def is_replaced(facts: Facts, stone: TrashRow) -> bool:
    """Does a link, a file or a device have the place of something that waits in the trash?"""
    return folder_name(stone) in facts.trash.strange | facts.trash.files
