"""Write the folders of `queue/` from the store: first what is new, then away with what is old."""

from reconciler.act.tools import Tools
from reconciler.observed.queue_folders import observe_queue_folders
from reconciler.plan.actions import WriteQueueFolders
from state.atomic import ensure_folder, remove_entry, replace_link, write_file
from state.formats import encode_record
from state.layout import Layout
from state.queue_folders import FOLDERS, queue_changes
from state.store.rows import JobRow
from state.store.tables import select
from state.store.writer import Writer


def write(action: WriteQueueFolders, tools: Tools) -> str:
    """Make the folders show the jobs."""
    del action
    number = write_queue_folders(tools.layout, tools.writer)
    return f"{number:,} entries written or removed"


def write_queue_folders(layout: Layout, writer: Writer) -> int:
    """Make the folders show the jobs; return how many entries were written or removed.

    Folders that cannot be read are left to the plan, which names them.
    """
    with writer.transaction() as store:
        jobs = select(store, JobRow)
    found = observe_queue_folders(layout)
    if found.problem is not None:
        return 0
    changes = queue_changes(jobs, found, lambda: {job.id for job in jobs})
    for folder in FOLDERS if changes.names else ():
        ensure_folder(layout.queue / folder)
    for path, target in changes.links.items():
        replace_link(layout.queue / path, target)
    for path, record in changes.records.items():
        write_file(layout.queue / path, encode_record(record))
    for path in changes.removed:
        remove_entry(layout.queue / path)
    return len(changes.names)
