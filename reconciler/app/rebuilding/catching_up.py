"""A store that was made again while a place was away learns what lies there once that can be looked into.

So does one that knows of something moved out of the root and nothing of where it lies: the specs may name
another place by now.
"""

from collections.abc import Callable

from reconciler.app.rebuilding.elsewhere import Elsewhere, ask_places, is_unexplained
from reconciler.app.rebuilding.indexed_marks import with_indexed_marks
from reconciler.app.rebuilding.named_places import NamedPlaces
from state.layout import Layout
from state.store.rows import CampaignRow, CopyRow, LedgerRow, ManifestRow, TrashRow
from state.store.tables import get_meta, put, select
from state.store.unseen_places import get_unseen, put_unseen
from state.store.writer import Writer

_OF_COPIES = (CampaignRow, LedgerRow, CopyRow, TrashRow, ManifestRow)


def catch_up(layout: Layout, writer: Writer, places: Callable[[], NamedPlaces]) -> Elsewhere:
    """Ask the places once more where something is not known, and write what they tell into the store."""
    with writer.transaction() as store:
        known = [row for kind in _OF_COPIES for row in select(store, kind)]
        unseen, realm_uid = get_unseen(store), get_meta(store, "realm_uid") or ""
    if not unseen and not is_unexplained(known):
        return Elsewhere()
    found = ask_places(layout, places(), known, realm_uid)
    with writer.transaction() as store:
        put(store, with_indexed_marks(layout, known, found.rows))
        if found.unseen != unseen:
            put_unseen(store, found.unseen)
    return found
