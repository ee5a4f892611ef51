"""What the trash holds under the name of a tombstone. Pure."""

from reconciler.observed.facts import Facts
from state.ids import checkpoint_folder
from state.store.rows import LedgerRow, TrashRow


def dropped_name(row: LedgerRow) -> str:
    """Return the name that a checkpoint has in the trash once it is dropped."""
    return f"{row.campaign_uid}-{row.sequence}-{checkpoint_folder(row.step)}"


def folder_name(stone: TrashRow) -> str:
    """Return the name in the trash of what was dropped."""
    return stone.path.rpartition("/")[2]


def is_replaced(facts: Facts, stone: TrashRow) -> bool:
    """Does a link, a file or a device have the place of something that waits in the trash?"""
    return folder_name(stone) in facts.trash.strange | facts.trash.files
