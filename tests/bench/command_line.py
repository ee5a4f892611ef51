"""Starting the command: `--help` beside a bare interpreter; a plan with nothing to do."""

import sys
from collections.abc import Iterator
from pathlib import Path

from realms import RECONCILE, Realm, time_command


def measure(folder: Path) -> Iterator[str]:
    bare = time_command([sys.executable, "-c", "pass"])
    help_ = time_command([RECONCILE, "--help"])
    yield f"python -c pass     {bare.seconds * 1000:6.1f} ms  {bare.peak_mb:5.1f} MB"
    yield (
        f"reconcile --help   {help_.seconds * 1000:6.1f} ms  {help_.peak_mb:5.1f} MB   "
        f"{help_.seconds / bare.seconds:.2f} x (goal: at most 5)"
    )
    realm = Realm(folder)
    realm.commit("queue.yaml", r"quests:(.|\n)*", "quests: []\n")  # the demo's realm, with nothing to train
    realm.run("apply", "--until-converged")
    noop = time_command([RECONCILE, "plan", "--detailed-exitcode"], cwd=realm.specs, env=realm.environment)
    yield (
        f"no-op plan         {noop.seconds * 1000:6.1f} ms  {noop.peak_mb:5.1f} MB   "
        f"{noop.seconds / bare.seconds:.2f} x (goal: 150 ms, 45 MB)"
    )
