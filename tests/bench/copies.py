"""A copy of a checkpoint elsewhere beside `cp -a` and a verifying read.

Both begin with cold files and end with every byte synced and read back past the cache; they take turns, and the
best of the rounds counts. Goal: at least 0.8 x as fast.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import scrub

from reconciler.act import copying
from reconciler.act.read_back import wrong_in
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan import actions as a
from state.contract.files import read
from state.contract.manifest import Manifest
from state.layout import Layout
from state.store.connection import open_writer
from state.store.writer import Writer

ROUNDS = 5


def measure(folder: Path) -> Iterator[str]:
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
    yield (
        f"{size / best['ours']:6.0f} MB/s copied and read back, {size / best['theirs']:.0f} MB/s cp -a, sync and a "
        f"verifying read: {best['theirs'] / best['ours']:.2f} x (goal: 0.80)"
    )


def copy_plainly(source: Path, target: Path, manifest: Manifest) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)
    subprocess.run(["sync", *sorted(target.iterdir())], check=True)
    assert wrong_in(target, manifest) is None
