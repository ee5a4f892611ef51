"""A trainer of adapters that is killed again and again learns to the bit what an undisturbed one does."""

import multiprocessing
import random
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft", reason="needs the lora extra")
pytestmark = pytest.mark.train

from adapters import adapter_training
from builders import Realm, a_config, orders
from seen import saved_steps

from trainer.engine.run import run

KILLS = 6
TRIES = 60
"""At most so many launches: one whose kill came before its next save is a launch for nothing."""


@pytest.mark.parametrize("optimizer", ["adamw", pytest.param("muon", marks=pytest.mark.long)])
def test_killed_adapters_come_out_as_undisturbed_ones(realm: Realm, tmp_path: Path, optimizer: str) -> None:
    config = a_config(training=adapter_training(optimizer=optimizer), save_every=3)
    undisturbed = Realm(tmp_path / "undisturbed")
    assert run(undisturbed.run(orders(undisturbed.quest(epochs=6)), config).request) == 0

    chance, kills, code = random.Random(7), 0, 1
    for _ in range(TRIES):
        newest = max(saved_steps(realm), default=None)
        files = realm.run(orders(realm.quest(epochs=6)), config, resume_step=newest)
        strike = AfterASave(realm, newest, chance.uniform(0, 0.01)) if kills < KILLS else None
        code = in_a_child(files.request, strike)
        kills += code == -signal.SIGKILL
        if code == 0:
            break

    assert (code, kills > 0) == (0, True)
    for name in ("adapter_model.safetensors", "optimizer.safetensors"):
        mine, its = (place.campaign.checkpoint(27) / name for place in (realm, undisturbed))
        assert mine.read_bytes() == its.read_bytes()


class AfterASave(NamedTuple):
    """A kill so soon after the next save, on a machine of any speed."""

    realm: Realm
    newest: int | None
    seconds: float

    def is_due(self) -> bool:
        return max(saved_steps(self.realm), default=None) != self.newest


def in_a_child(request: Path, strike: AfterASave | None) -> int | None:
    """Run the trainer in a process of its own; return its exit code, below zero when a signal ended it.

    Forked from a process that has imported everything and computed nothing: threads do not survive a fork.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trainer.engine.setup", "trainer.engine.run", "peft", "peft.tuners.lora"])
    child = context.Process(target=run, args=(request,))
    child.start()
    if strike is not None:
        while child.is_alive() and not strike.is_due():
            time.sleep(0.002)
        child.join(strike.seconds)
        child.kill()
    child.join(60)
    return child.exitcode
