"""What a checkpoint has learnt, quest by quest, in words; also what those had that it goes on from."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.app.looking.items import CheckpointItem
from reconciler.app.planning.look import View
from reconciler.app.proof.chain import Link, chain_of
from state.amounts import count
from state.contract.manifest import QuestCursor
from state.store.rows import CampaignRow, JobRow


def learnt(view: View, row: CampaignRow | None, item: CheckpointItem | None) -> Mapping[str, str]:
    """Return what a checkpoint has learnt, and the campaigns that it goes on from before it, as `prove` does.

    Its cursor says what its own campaign has taught it; of one that was let go the jobs do.
    """
    if row is None or item is None:
        return {}
    own = _own(view, row, item)
    before = _before(view, row, item.digest)
    both = {quest: f"{own[quest]}; {before[quest]} before" for quest in own.keys() & before.keys()}
    return {**before, **own, **both}


def _own(view: View, row: CampaignRow, item: CheckpointItem) -> Mapping[str, str]:
    complete = view.facts.campaigns[row.name].all_complete
    found = next((one for one in complete if one.digest == item.digest), None)
    if found is not None:
        return _by_cursor(view, found.manifest.cursor)
    return _by_jobs(view, view.facts.jobs_of(row.uid), item.step)


def _before(view: View, row: CampaignRow, digest: str | None) -> Mapping[str, str]:
    """Return what was learnt in other campaigns on the way to a checkpoint, the nearest one's word first."""
    found: dict[str, str] = {}
    seen = {row.uid}
    for link in chain_of(view, digest or "").links:
        if link.manifest.campaign_uid not in seen:
            seen.add(link.manifest.campaign_uid)
            found = {**_of_link(view, link), **found}
    return found


def _of_link(view: View, link: Link) -> Mapping[str, str]:
    if link.path is not None:
        return _by_cursor(view, link.manifest.cursor)
    return _by_jobs(view, view.facts.jobs_of(link.manifest.campaign_uid), link.manifest.step)


def _by_cursor(view: View, cursor: Iterable[QuestCursor]) -> Mapping[str, str]:
    return {one.quest_id: f"{_words(one)}{_of_data(view, one.digest)}" for one in cursor}


def _by_jobs(view: View, jobs: Iterable[JobRow], step: int | None) -> Mapping[str, str]:
    """Return what was learnt to the end until a step."""
    done = (job for job in jobs if job.status == "completed" and (job.final_step or 0) <= (step or 0))
    return {job.quest_id: f"{count(job.epochs, 'epoch')}{_of_data(view, job.digest)}" for job in done}


def _of_data(view: View, digest: str) -> str:
    """Return which content was learnt from: `, data 3f9a01bc (6,400 rows with those held out)`.

    A quest may have had another once.
    """
    rows = next((one.num_rows for one in view.facts.store.quest_data if one.digest == digest), None)
    size = "" if rows is None else f" ({count(rows, 'row')} with those held out)"
    return f", data {digest.rpartition(':')[2][:8]}{size}"


def _words(cursor: QuestCursor) -> str:
    """Return `2 epochs`, `1 epoch + 300 rows`, `300 rows`."""
    parts = [count(cursor.epochs_done, "epoch")] if cursor.epochs_done else []
    parts += [count(cursor.rows_taken, "row")] if cursor.rows_taken else []
    return " + ".join(parts) or "begun"


def most_learnt(view: View, rows: Sequence[CampaignRow]) -> Mapping[str, str]:
    """Return for each quest which campaigns of a hero have trained it to the end."""
    done: dict[str, set[str]] = {}
    for row in rows:
        for job in view.facts.jobs_of(row.uid):
            if job.status == "completed":
                done.setdefault(job.quest_id, set()).add(job.campaign_id)
    return {quest: f"by {', '.join(sorted(names))}" for quest, names in done.items()}
