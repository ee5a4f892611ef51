"""What the journal costs an action beside its two syncs: actions that do nothing, beside bare commits of the rows.

Processor time, which leaves out the waits for the disk. Goal: at most 2 ms.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw

from reconciler.act import protocol
from reconciler.plan import actions as a
from state.store.connection import open_writer
from state.store.journal_rows import ActionRow
from state.store.tables import put
from state.store.writer import Writer

NUM_ACTIONS = 100


def measure(folder: Path) -> Iterator[str]:
    ours, bare = open_writer(folder / "ours.db"), open_writer(folder / "bare.db")
    journal = protocol.Journal(Writer(ours), "c" * 40)
    change = protocol.Change(
        id="sha256:1",
        action=a.WriteQueueFolders(),
        subject="thing",
        reason="because",
        cause="specs",
        source="edit",
    )
    row = ActionRow(
        number=1, id="sha256:1", kind="k", subject="s", payload_json="{}", reason="r", cause="c",
        specs_commit="c", state="intent", epoch=1, begun_at="n",
    )  # fmt: skip
    with_journal = cpu_seconds(lambda: journal.end(journal.begin(change, "now"), "done", "done", "now"))
    commits = cpu_seconds(lambda: [commit(bare, row) for _ in range(2)])
    yield (
        f"{with_journal * 1000:6.2f} ms of CPU a journalled action, its two commits included; those alone "
        f"{commits * 1000:.2f} ms (goal: 2 ms beside the syncs)"
    )


def commit(store: apsw.Connection, row: ActionRow) -> None:
    store.execute("BEGIN IMMEDIATE")
    put(store, [row])
    store.execute("COMMIT")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return what one call costs without the waits for the disk, which are the syncs."""
    begun = time.process_time()
    for _ in range(NUM_ACTIONS):
        work()
    return (time.process_time() - begun) / NUM_ACTIONS
