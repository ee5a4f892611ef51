"""Starting the command: `--help` beside a bare interpreter; a plan with nothing to do."""

from collections.abc import Iterator
from pathlib import Path

from machine import BARE, time_command
from realms import RECONCILE, Realm


def measure(folder: Path) -> Iterator[str]:
    help_ = time_command([RECONCILE, "--help"])
    yield f"python -c pass     {time_command(BARE)}"
    yield f"reconcile --help   {help_} (goal: at most 5 x)"
    realm = Realm(folder)
    realm.commit("queue.yaml", r"quests:(.|\n)*", "quests: []\n")  # the demo's realm, with nothing to train
    realm.run("apply", "--until-converged")
    noop = time_command([RECONCILE, "plan", "--detailed-exitcode"], cwd=realm.specs, env=realm.environment)
    yield f"no-op plan         {noop} (goal: 150 ms, 45 MB)"
