"""Tombstones: what the store says of everything dropped, mirrored beside it in the trash."""

import msgspec

from reconciler.act.tools import Tools
from state.atomic import ensure_folder, write_json
from state.store.rows import TrashRow, TrashState
from state.store.tables import put


def set_state(tools: Tools, stone: TrashRow, state: TrashState) -> None:
    """Write what has become of something dropped: into the store, then into the tombstone's mirror."""
    ended_at = tools.now() if state in ("purged", "restored") else None
    after = msgspec.structs.replace(stone, state=state, ended_at=stone.ended_at or ended_at)
    with tools.writer.transaction() as store:
        put(store, [after])
    mirror(tools, after)


def mirror(tools: Tools, stone: TrashRow) -> None:
    """Write the tombstone beside the folder: the store can be made again from it."""
    ensure_folder(tools.layout.trash)
    write_json(tools.layout.root / f"{stone.path}.json", stone)
