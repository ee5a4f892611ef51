"""What lost files of rows told and nothing else tells, by name. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconciler.app.rebuilding.segments import unknown_numbers
from reconciler.app.rebuilding.trashed import stones_by_path
from state.store.rows import CampaignRow, JobRow, LedgerRow, RunRow, SegmentRow

_NAMED = 5


def words_on_lost(
    known: Iterable[msgspec.Struct], campaigns: Sequence[str], *, is_realm_told: bool
) -> Iterator[str]:
    """Say what is not known any more of the campaigns that only their folder tells of, and of the realm.

    `known`: all rows of the new store.
    """
    known = tuple(known)
    rows = {row.name: row for row in known if isinstance(row, CampaignRow)}
    for name in campaigns:
        yield _words_on_campaign(rows[name], known)
    if not is_realm_told:
        yield (
            "the realm's own rows are lost: since when a campaign was active, which commit was applied, what "
            "was taken in from the inbox, which snapshots of quests there are, and which copies were made"
        )
    recorded = {row.sequence for row in known if isinstance(row, LedgerRow)}
    purged = (one for one in stones_by_path(known).values() if one.state == "purged" and one.keeps is None)
    gone = [one.thing for one in purged if not one.is_campaign and one.sequence not in recorded]
    if gone:
        yield f"of what was deleted for good only the tombstones tell: {first_of(gone)}"


def _words_on_campaign(row: CampaignRow, known: Sequence[msgspec.Struct]) -> str:
    """Say what the folder of one campaign does not tell."""
    own = [one for one in known if getattr(one, "campaign_uid", None) == row.uid]
    of_it = Counter(map(type, own))
    lost = []
    if not of_it[JobRow]:
        lost.append("its jobs: which quests it has learnt, and how often each failed")
    segments = [one for one in own if isinstance(one, SegmentRow)]
    if unknown := unknown_numbers(row, segments):
        numbers = ", ".join(map(str, unknown))
        many = "s" if len(unknown) > 1 else ""
        lost.append(
            f"what asked for its segment{many} {numbers}, and perhaps how low its rates were set then"
        )
    if of_it[RunRow]:
        lost.append("what its runs took, and what they were told while they trained")
    lost.append("what of it was found damaged or was missing")
    return (
        f"of {row.name} nothing tells any more: {'; '.join(lost)}. So nothing of it is deleted until a "
        f"person has looked: reconcile resume {row.name}"
    )


def first_of(things: Sequence[str]) -> str:
    """Return the first of these, and how many there are more."""
    more = f" and {len(things) - _NAMED:,} more" if len(things) > _NAMED else ""
    return f"{', '.join(things[:_NAMED])}{more}"
