"""The old store, once another takes its place: it keeps a name of its own, and its journal beside it.

A store with the journal of another one would be damaged by it. So none is ever left alone at its place.
"""

import hashlib
from itertools import count
from pathlib import Path

from state.atomic import publish_file
from state.layout import Layout


def set_aside(layout: Layout) -> Path | None:
    """Give the old store, if there is one, a name of its own, with its journal; nothing of it is deleted."""
    if not layout.store.exists():
        return None
    aside = _free(layout, layout.store)
    publish_file(layout.store, aside)
    gather_journal(layout)
    return aside


def gather_journal(layout: Layout) -> None:
    """Bring a journal whose store was set aside, before a kill, to it."""
    journal = journal_of(layout.store)
    if layout.store.exists() or not journal.exists():
        return
    aside = newest_aside(layout)
    if aside is None or journal_of(aside).exists():
        aside = _free(layout, journal)
    publish_file(journal, journal_of(aside))


def newest_aside(layout: Layout) -> Path | None:
    """Return the store that was set aside last; None: none ever was."""
    found = [path for path in layout.root.iterdir() if layout.is_set_aside(path)]
    stores = [path for path in found if not path.name.endswith("-journal")]
    return max(stores, key=lambda path: (path.stat().st_ctime_ns, path.name), default=None)


def journal_of(store: Path) -> Path:
    """Return where the journal of a store lies."""
    return store.with_name(f"{store.name}-journal")


def _free(layout: Layout, content: Path) -> Path:
    """Return a name, by a file's content, that neither a store nor a journal has."""
    digest = hashlib.sha256(content.read_bytes()).hexdigest()[:16]
    names = (layout.set_aside(f"{digest}-{number}" if number > 1 else digest) for number in count(1))
    return next(path for path in names if not (path.exists() or journal_of(path).exists()))
