"""What there is to read again, and when it was read last: in use, archived, in the trash, elsewhere. Pure."""

from collections.abc import Iterator, Mapping

from reconciler.plan.actions import Place, Reading
from reconciler.plan.trash.names import folder_name
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow, ScrubWish, TrashRow


def readings(world: World, wish: ScrubWish, *, is_asked: bool) -> Iterator[tuple[str, Reading]]:
    """Yield everything that a scrub is about, each with when it was read last.

    What was never read again counts as read when it was saved, unless a person asks. What is known to be
    damaged or missing has a finding already and is left out; its copies are read, for it is mended from them.
    """
    rows = {row.uid: row for row in world.facts.store.campaigns}
    lying = _Lying(world, rows)
    about = {}
    for one in world.facts.store.ledger:
        row = rows.get(one.campaign_uid)
        if row is None or not is_about(wish, row, one):
            continue
        about[one.sequence] = row, one
        if one.damage is None and (place := lying.place(row, one)) is not None:
            yield one.verified_at or ("" if is_asked else one.timestamp), _reading(row, one, *place)
    for copy in world.facts.store.copies:
        if copy.sequence in about:
            row, one = about[copy.sequence]
            yield copy.checked_at, _reading(row, one, "copy", copy.path)
    for stone in world.facts.in_trash:
        is_wanted = stone.keeps is not None and is_named(wish, stone.campaign, stone.thing)
        if is_wanted and stone.damage is None and lying.is_in_trash(stone):
            yield stone.verified_at or ("" if is_asked else stone.trashed_at), _full_form(world, stone)


def _full_form(world: World, stone: TrashRow) -> Reading:
    """Return the full form of a checkpoint that keeps its weights only, as what is to be read."""
    weights = (
        one.size_bytes for one in world.facts.ledger_of(stone.campaign_uid) if one.digest == stone.keeps
    )
    return Reading(
        campaign=stone.campaign,
        campaign_uid=stone.campaign_uid,
        sequence=stone.sequence,
        which=stone.which,
        place="full form",
        path=stone.path,
        digest=stone.digest,
        size_bytes=stone.size_bytes + next(weights, 0),
    )


def is_about(wish: ScrubWish, row: CampaignRow, one: LedgerRow) -> bool:
    """Is a checkpoint of the ledger among what a person wants read again?"""
    return is_named(wish, row.name, f"{row.name}@{one.which}")


def is_named(wish: ScrubWish, campaign: str, thing: str) -> bool:
    """Did a person name this, or nothing, which means all?"""
    return not wish.things or campaign in wish.things or thing in wish.things


class _Lying:
    """Where checkpoints lie whole, below the root."""

    def __init__(self, world: World, rows: Mapping[str, CampaignRow]) -> None:
        self._facts, self._root = world.facts, f"{world.facts.disk.root}/"
        self._acknowledged = frozenset(world.acknowledged_losses)
        self._there = {
            uid: {one.digest: one.path for one in world.seen(row.name).all_complete}
            for uid, row in rows.items()
        }

    def place(self, row: CampaignRow, one: LedgerRow) -> tuple[Place, str] | None:
        """Return where it lies, and as what; None: it is not there, or is gone for good."""
        stone = self._facts.tombstone(one)
        if stone is None:
            path = self._there[row.uid].get(one.digest)
            return None if path is None else ("home", path.removeprefix(self._root))
        if stone.is_moved or not self.is_in_trash(stone):
            return None  # of what was moved out, its copy is read
        return ("trash", stone.path) if not stone.is_campaign else self._of_a_deleted_one(row, one, stone)

    def is_in_trash(self, stone: TrashRow) -> bool:
        """Does what a tombstone names wait in the trash?"""
        return stone.state == "trashed" and folder_name(stone) in self._facts.trash.folders

    def _of_a_deleted_one(
        self, row: CampaignRow, one: LedgerRow, stone: TrashRow
    ) -> tuple[Place, str] | None:
        """Return where a checkpoint of a deleted campaign lies; what was known to be lost does not."""
        is_known_lost = f"{row.name}@{one.which}" in self._acknowledged
        if is_known_lost or not self._facts.stock_of(row).is_in_force(one):
            return None
        below = one.path.split("/")[-2 if one.is_living else -3 :]
        return "trash", "/".join((stone.path, *below))


def _reading(row: CampaignRow, one: LedgerRow, place: Place, path: str) -> Reading:
    return Reading(
        campaign=row.name,
        campaign_uid=row.uid,
        sequence=one.sequence,
        which=one.which,
        place=place,
        path=path,
        digest=one.digest,
        size_bytes=one.size_bytes,
    )
