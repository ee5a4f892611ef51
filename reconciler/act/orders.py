"""Orders: which quests a trainer does next, built from the jobs in the store."""

from collections.abc import Sequence

import apsw
import msgspec

from reconciler.act.derived import campaign_row, write_campaign_file
from reconciler.act.errors import Temporary
from reconciler.act.run_files import files_of, need_run, orders_of, refuse_ended
from reconciler.act.tools import Tools
from reconciler.plan.actions import GiveOrders
from state.atomic import write_json
from state.contract.goals import as_order, goals_in
from state.contract.orders import Orders, QuestOrder, RowShape
from state.layout import Layout
from state.store.in_force import InForce, in_force, told
from state.store.rows import JobRow, RunRow
from state.store.tables import put, select_one


def give(action: GiveOrders, tools: Tools) -> str:
    """Replace the run's orders, unless it has these or newer ones.

    A config in them stands in the store before the trainer can read it, so no checkpoint is saved with one
    that the store does not know.

    Raises:
        Temporary: the run is over or stopping, has newer orders, or a quest has no content.
    """
    files, row = files_of(tools, action), need_run(tools, action)
    refuse_ended(row, action)
    current = orders_of(files)
    if current is not None and current.stop is not None:
        raise Temporary(f"run {action.campaign} is stopping ({current.stop}); it takes no new orders")
    row = _told(tools, action, row)
    orders = Orders(
        sequence=action.sequence,
        quests=quest_orders(tools, action.job_uids, row),
        **as_order(goals_in(action)),
        pause=action.pause,
        config=action.config,
        save=action.save,
    )
    if current is not None and msgspec.structs.replace(current, sequence=orders.sequence) == orders:
        return f"orders {current.sequence} say so already"
    if current is not None and current.sequence >= action.sequence:
        raise Temporary(
            f"run {action.campaign} has orders {current.sequence} already, the plan made {action.sequence}; "
            "planned again"
        )
    write_json(files.orders, orders)
    noun = "quest" if len(orders.quests) == 1 else "quests"
    config = f", config {orders.config.config_hash.removeprefix('sha256:')[:8]}" if orders.config else ""
    return f"orders {orders.sequence}: {len(orders.quests)} {noun}{', pause' if orders.pause else ''}{config}"


def _told(tools: Tools, action: GiveOrders, row: RunRow) -> RunRow:
    """Write down which config the run is told to take up; return its row."""
    config = action.config
    if config is None:
        return row
    row = told(
        row,
        InForce(
            generation=config.generation,
            config_hash=config.config_hash,
            config_json=msgspec.json.encode(config.config).decode(),
            specs_commit=config.specs_commit,
        ),
    )
    now = {name: getattr(config, name) for name in ("generation", "config_hash", "specs_commit")}
    with tools.writer.transaction() as store:
        campaign = campaign_row(store, action.campaign_uid, action.campaign)
        put(store, [row, msgspec.structs.replace(campaign, **now)])
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    return row


def quest_orders(tools: Tools, job_uids: Sequence[str], run: RunRow) -> tuple[QuestOrder, ...]:
    """Return what to train, in this order, and write into each job which launch trains it.

    A job that could not be enqueued, or whose content is not there, is left out: it must not keep the
    others waiting. The plan brings it in again, and then hands out new orders.

    Raises:
        Temporary: jobs were asked for, and none of them is ready.
    """
    with tools.writer.transaction() as store:
        ready = _ready(tools, store, job_uids)
        put(store, [_stamped(job, run) for job in ready])
        before = {job.uid: _rows_before(store, job) for job in ready}
    return tuple(_order(job, tools.layout, before[job.uid]) for job in ready)


def need_work(tools: Tools, job_uids: Sequence[str]) -> None:
    """See that there is something to train, before a run is begun for it.

    Raises:
        Temporary: jobs were asked for, and none of them is ready.
    """
    with tools.writer.transaction() as store:
        _ready(tools, store, job_uids)


def _ready(tools: Tools, store: apsw.Connection, job_uids: Sequence[str]) -> list[JobRow]:
    found = [select_one(store, JobRow, "WHERE uid = ?", uid) for uid in job_uids]
    ready = [job for job in found if job is not None and tools.layout.snapshot(job.digest).is_file()]
    if job_uids and not ready:
        raise Temporary("none of its quests has its content in the realm; the next plan brings it in")
    return ready


def _rows_before(store: apsw.Connection, job: JobRow) -> int:
    """Return how many rows of the quest's file stand before those of this part."""
    number, part = 0, job
    while part.follows:
        earlier = "WHERE campaign_uid = ? AND quest_id = ? AND part = ?"
        previous = select_one(store, JobRow, earlier, part.campaign_uid, part.quest_id, part.part - 1)
        if previous is None:
            return 0  # it is not known; then rows are counted within the part
        number, part = number + previous.num_examples, previous
    return number


def _stamped(job: JobRow, run: RunRow) -> JobRow:
    now = in_force(run)
    return msgspec.structs.replace(
        job, config_hash=now.config_hash, git_commit=run.code_version, specs_commit=now.specs_commit
    )


def _order(job: JobRow, layout: Layout, first_row: int) -> QuestOrder:
    return QuestOrder(
        quest_id=job.order_id,
        job_uid=job.uid,
        digest=job.digest,
        path=str(layout.snapshot(job.digest)),
        num_rows=job.num_examples,
        shape=msgspec.json.decode(job.shape_json, type=RowShape),
        epochs=job.epochs,
        priority=job.priority,
        origin=job.dataset_path,
        first_row=first_row,
    )
