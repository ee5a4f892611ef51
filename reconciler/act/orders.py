"""Orders: which quests a trainer does next, built from the jobs in the store."""

from collections.abc import Sequence

import apsw
import msgspec

from reconciler.act.errors import Permanent, Temporary
from reconciler.act.run_files import files_of, need_run, orders_of, refuse_ended
from reconciler.act.tools import Tools
from reconciler.plan.actions import GiveOrders
from state.atomic import write_json
from state.contract.orders import Orders, QuestOrder, RowShape
from state.layout import Layout
from state.store.rows import JobRow, RunRow
from state.store.tables import put, select_one


def give(action: GiveOrders, tools: Tools) -> str:
    """Replace the run's orders, unless it has these or newer ones.

    Raises:
        Temporary: the run is over or stopping, has newer orders, or a quest has no content.
    """
    files, row = files_of(tools, action), need_run(tools, action)
    refuse_ended(row, action)
    current = orders_of(files)
    if current is not None and current.stop is not None:
        raise Temporary(f"run {action.campaign} is stopping ({current.stop}); it takes no new orders")
    orders = Orders(
        sequence=action.sequence,
        quests=quest_orders(tools, action.job_uids, row),
        goal_updates=action.goal_updates,
        pause=action.pause,
    )
    if current is not None and current.sequence >= action.sequence and current != orders:
        raise Temporary(
            f"run {action.campaign} has orders {current.sequence} already, the plan made {action.sequence}; "
            "planned again"
        )
    if current != orders:
        write_json(files.orders, orders)
    return f"orders {orders.sequence}: {len(orders.quests)} quests{', pause' if orders.pause else ''}"


def quest_orders(tools: Tools, job_uids: Sequence[str], run: RunRow) -> tuple[QuestOrder, ...]:
    """Return what to train, in this order, and write into each job which launch trains it.

    Raises:
        Permanent: a job is not in the store.
        Temporary: the content of a job is not in the realm.
    """
    with tools.writer.transaction() as store:
        jobs = [_job(store, uid) for uid in job_uids]
        put(store, [_stamped(job, run) for job in jobs])
    return tuple(_order(job, tools.layout) for job in jobs)


def _job(store: apsw.Connection, uid: str) -> JobRow:
    job = select_one(store, JobRow, "WHERE uid = ?", uid)
    if job is None:
        raise Permanent(f"there is no job {uid} in the store; the next plan enqueues it")
    return job


def _stamped(job: JobRow, run: RunRow) -> JobRow:
    return msgspec.structs.replace(
        job, config_hash=run.config_hash, git_commit=run.code_version, specs_commit=run.specs_commit
    )


def _order(job: JobRow, layout: Layout) -> QuestOrder:
    snapshot = layout.snapshot(job.digest)
    if not snapshot.is_file():
        raise Temporary(
            f"quest {job.quest_id}: its content {snapshot} is not there; the next plan brings it in again"
        )
    return QuestOrder(
        quest_id=job.quest_id,
        job_uid=job.uid,
        digest=job.digest,
        path=str(snapshot),
        num_rows=job.num_examples,
        shape=msgspec.json.decode(job.shape_json, type=RowShape),
        epochs=job.epochs,
        priority=job.priority,
    )
