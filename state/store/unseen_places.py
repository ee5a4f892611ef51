"""Places outside the root that nobody could look into when the store was made again from files and folders.

What lies there alone is not known, so nothing is deleted until each was seen, or the specs name it no more.
"""

from collections.abc import Sequence

import apsw
import msgspec

from state.store.tables import get_meta, put_meta

KEY = "unseen_places"


def get_unseen(store: apsw.Connection) -> tuple[str, ...]:
    """Return the places, each with why it could not be looked into."""
    return tuple(msgspec.json.decode(get_meta(store, KEY) or "[]", type=list[str]))


def put_unseen(store: apsw.Connection, places: Sequence[str]) -> None:
    """Write which there are now."""
    put_meta(store, KEY, unseen_text(places))


def unseen_text(places: Sequence[str]) -> str:
    """Return them as the store keeps them."""
    return msgspec.json.encode(list(places)).decode()
