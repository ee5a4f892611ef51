"""A copy of a checkpoint elsewhere beside `cp -a` and a verifying read; a drop; and what the journal costs.

Copying: both begin with cold files and end with every byte synced and read back past the cache; they take turns,
and the best of the rounds counts. Goal: at least 0.8 x as fast. A drop of 10 GB (sparse files: a rename does not
look into them) within 50 ms. The journal costs an action at most 2 ms beside its two syncs.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import scrub

from reconciler.act import copying, protocol
from reconciler.act.read_back import wrong_in
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan import actions as a
from state.atomic import ensure_folder, move_folder
from state.contract.files import read
from state.contract.manifest import Manifest
from state.layout import Layout
from state.store.connection import open_writer
from state.store.rows import ActionRow
from state.store.tables import put
from state.store.writer import Writer

ROUNDS, DROP_BYTES, NUM_ACTIONS = 5, 10 * 10**9, 100


def measure(folder: Path) -> Iterator[str]:
    yield copying_line(folder)
    yield drop_line(folder)
    yield journal_line(folder)


def copying_line(folder: Path) -> str:
    source = folder / "checkpoint-1"
    scrub.checkpoint(source)
    manifest = read(source / "manifest.json", Manifest)
    (found,) = observe_checkpoints(folder, folder.parent).complete
    layout = Layout(folder / "root")
    tools = Tools(layout=layout, writer=Writer(open_writer(folder / "copies.db")), launcher=None, now=str)
    action = a.CopyCheckpoint(
        campaign="a/b", campaign_uid="u", sequence=1, step=1, digest=found.digest,
        size_bytes=found.size_bytes, to=str(folder), kind="export",
    )  # fmt: skip
    made = {"ours": folder / "a" / "b" / "checkpoint-1", "theirs": folder / "theirs"}
    copies = {
        "ours": lambda: copying._make(action, tools, found, made["ours"]),
        "theirs": lambda: copy_plainly(source, made["theirs"], manifest),
    }
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, copy in copies.items():
            best[name] = min(best.get(name, 1e9), scrub.cold_seconds(copy, sorted(source.iterdir())))
            shutil.rmtree(made[name])
    size = found.size_bytes / 1e6
    return (
        f"{size / best['ours']:6.0f} MB/s copied and read back, {size / best['theirs']:.0f} MB/s cp -a, sync and a "
        f"verifying read: {best['theirs'] / best['ours']:.2f} x (goal: 0.80)"
    )


def copy_plainly(source: Path, target: Path, manifest: Manifest) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)
    subprocess.run(["sync", *sorted(target.iterdir())], check=True)
    assert wrong_in(target, manifest) is None


def drop_line(folder: Path) -> str:
    place, trash = folder / "checkpoint-2", folder / "trash"
    place.mkdir()
    for number in range(10):
        with (place / f"{number}.safetensors").open("wb") as file:
            file.truncate(DROP_BYTES // 10)
    ensure_folder(trash)
    begun = time.perf_counter()
    move_folder(place, trash / "checkpoint-2")
    seconds = time.perf_counter() - begun
    return f"{seconds * 1000:6.1f} ms to move {DROP_BYTES / 1e9:.0f} GB to the trash (goal: 50 ms)"


def journal_line(folder: Path) -> str:
    """Begin and end actions that do nothing, beside as many bare commits of the same rows."""
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
    return (
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
