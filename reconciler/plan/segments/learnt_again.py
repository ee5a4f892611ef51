"""What a rollback means for the jobs: what only the left segment had learnt is learnt again. Pure."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from state.contract.manifest import QuestCursor
from state.store.rows import JobRow


def jobs_after_rollback(jobs: Iterable[JobRow], cursor: Sequence[QuestCursor], step: int) -> Iterator[JobRow]:
    """Yield the jobs that change when training goes back to a checkpoint at this step with this cursor."""
    known = {(one.quest_id, one.digest): one for one in cursor}
    for job in jobs:
        at = known.get((job.order_id, job.digest))
        is_done = at is not None and at.epochs_done >= job.epochs
        begun = at.first_step if at is not None else None
        if job.status == "completed" and not is_done:
            yield as_not_ended(job, begun)
        elif job.status in ("queued", "processing") and (job.start_step or 0) > step:
            yield msgspec.structs.replace(job, start_step=begun)


def as_not_ended(job: JobRow, begun: int | None) -> JobRow:
    """Return a completed job as it waits: nothing of its end is true any more."""
    return msgspec.structs.replace(
        job,
        status="queued",
        start_step=begun,
        finished_at=None,
        final_step=None,
        final_loss=None,
        final_val_loss=None,
    )
