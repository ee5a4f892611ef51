"""Copies outside the root, where the rows that told them are lost: each place that may hold some is asked.

A place that cannot be looked into is remembered in the store, and nothing is deleted until it was.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from reconciler.app.rebuilding.campaign_folders import campaigns_in
from reconciler.app.rebuilding.copy_books import CopyBooks
from reconciler.app.rebuilding.found_copies import copies_in, is_empty, why_unseen
from reconciler.app.rebuilding.named_places import NamedPlaces, copies_in_sagas
from reconciler.app.rebuilding.trashed import stones_by_path
from reconciler.app.rebuilding.words_on_lost import first_of
from reconciler.observed.checkpoints import checkpoint_of_any_name
from reconciler.observed.copy_places import why_unreachable
from reconciler.observed.records import FoundCheckpoint
from state.layout import Layout
from state.store.rows import CopyKind, CopyRow, LedgerRow, TrashRow


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """What the places outside the root told."""

    rows: tuple[msgspec.Struct, ...] = ()
    """Beyond those that were known: of the ledger, of copies, manifests."""
    unseen: tuple[str, ...] = ()
    """Places that could not be looked into and may hold what is known nowhere else, each with why."""
    words: tuple[str, ...] = ()
    """What was found, and what was not, for people."""


def ask_places(
    layout: Layout, named: NamedPlaces, known: Iterable[msgspec.Struct], realm_uid: str
) -> Elsewhere:
    """Look into each place that the specs name, or the sagas tell of; the contents of copies are not read."""
    known = tuple(known)
    books = CopyBooks(known, realm_uid)
    told = tuple(copies_in_sagas(campaigns_in(layout, known, [])))
    kinds: dict[str, CopyKind] = {place: "export" for place, _ in told}
    kinds |= named.kinds
    for place, kind in sorted(kinds.items()):
        for there in copies_in(Path(place), books.strange) if why_unseen(Path(place)) is None else ():
            books.take(there, kind)
    _ask_known(books)
    lonely = books.lonely(named.acknowledged)
    in_trash = [one for one in lonely if _lies_in_trash(layout, one)]
    nowhere = [one for one in lonely if one not in in_trash]
    unseen = _unseen(kinds, named, books, lonely=bool(lonely), nowhere=bool(nowhere))
    forgotten = [path for _, path in told if not books.knows(path)]
    return Elsewhere(
        rows=tuple(books.rows),
        unseen=unseen,
        words=(
            *_words_on_lonely(in_trash, nowhere, sorted(kinds)),
            *_words(books, list(dict.fromkeys(forgotten))),
        ),
    )


def _lies_in_trash(layout: Layout, stone: TrashRow) -> bool:
    """Does what was moved out lie in the trash still, whole as far as its sizes say?"""
    found = checkpoint_of_any_name(layout.root / stone.path) if stone.state == "trashed" else None
    return isinstance(found, FoundCheckpoint) and found.manifest.digest == stone.digest


def is_unexplained(known: Iterable[msgspec.Struct]) -> bool:
    """Was something moved out, or copied, of which no copy or no row of the ledger is known?"""
    known = tuple(known)
    recorded = {row.sequence for row in known if isinstance(row, LedgerRow)}
    copied = {row.sequence for row in known if isinstance(row, CopyRow)}
    stones = stones_by_path(known).values()
    moved = {one.sequence for one in stones if one.is_moved and one.state != "restored"}
    return not (moved <= copied and moved | copied <= recorded)


def _ask_known(books: CopyBooks) -> None:
    """Ask the copies that have their rows while the ledger's are lost, wherever they lie."""
    for copy in list(books.without_ledger()):
        found = checkpoint_of_any_name(Path(copy.path))
        if isinstance(found, FoundCheckpoint) and found.manifest.digest == copy.digest:
            books.take_known(found)


def _unseen(
    kinds: dict[str, CopyKind], named: NamedPlaces, books: CopyBooks, *, lonely: bool, nowhere: bool
) -> tuple[str, ...]:
    """Return the places that hold up deletions: those that the specs name and that are away.

    While no copy is found of something moved out, an empty one, too: its disk may be away; and while that
    does not lie in the trash either, any other place that may have it.
    """
    found = [f"the places that the specs name: {named.problem}"] if named.problem else []
    for place in sorted(kinds):
        why = why_unseen(Path(place))
        holds = nowhere or (place in named.kinds and (lonely or not is_empty(Path(place))))
        if why is not None and holds:
            found.append(why)
    away = (why_unreachable(Path(copy.path)) for copy in books.without_ledger() if nowhere)
    return tuple(dict.fromkeys([*found, *(why for why in away if why is not None)]))


def _words_on_lonely(
    in_trash: Sequence[TrashRow], nowhere: Sequence[TrashRow], places: Sequence[str]
) -> Iterable[str]:
    away = {place for place in places if why_unseen(Path(place)) is not None}
    words = [f"{place} could not be looked into" if place in away else place for place in places]
    asked = ", ".join(words) or "none is named"
    if in_trash:
        yield (
            f"{first_of([one.thing for one in in_trash])}: moved out of the root, and no copy was found in "
            f"the places asked ({asked}); it lies in the trash: nothing of it is lost, and "
            "reconcile undelete takes it back"
        )
    if nowhere:
        yield (
            f"{first_of([one.thing for one in nowhere])}: moved out of the root, and found in none of the "
            f"places asked ({asked}): mount the place that has it, or name it in the specs, and run this "
            "again; only what is lost for good is listed under acknowledged_losses"
        )


def _words(books: CopyBooks, forgotten: Sequence[str]) -> Iterable[str]:
    if books.taken:
        taken = first_of([copy.path for copy in books.taken])
        yield f"found elsewhere, and not read yet (reconcile scrub does): {taken}"
    if forgotten:
        yield f"copies that were made once and were not found now: {first_of(forgotten)}"
    if books.strange:
        yield f"not taken in, and left untouched: {first_of(books.strange)}"
