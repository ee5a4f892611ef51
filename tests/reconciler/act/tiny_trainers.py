"""Trainers that are started in the place of real ones."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.act.launcher import LocalLauncher

TRAINER = Path(__file__).with_name("tiny_trainer.py")


class TinyTrainers(LocalLauncher):
    """Starts the tiny trainer in the place of the real one, as a real process."""

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> int:
        assert list(argv[:4]) == [sys.executable, "-m", "trainer", "run"]
        return super().spawn([sys.executable, "-I", "-S", str(TRAINER), *argv[3:]], env=env, log=log, cwd=cwd)


class NoTrainers:
    """A machine on which started trainers never come to life."""

    def spawn(self, _argv: Sequence[str], **_: object) -> int:
        return 0

    def reap(self) -> tuple[()]:
        return ()
