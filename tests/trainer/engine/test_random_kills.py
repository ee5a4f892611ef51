"""`kill -9` of the trainer at random points of its life, wherever it is: weights, moments and losses to the bit."""

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_guarded, a_model, a_training, orders, with_strange_rows
from seen import losses, manifest, saved_steps

from state import failpoints
from state.contract.orders import Orders
from state.contract.run_config import RunConfig
from state.layout import RunLayout
from trainer.engine import step
from trainer.engine.run import run

POINTS_IN_A_LIFE = 90
"""About so many failpoints the undisturbed run reaches."""
SAVED = ("model.safetensors", "optimizer.safetensors", "trainer_state.json")
LIVES = {
    "muon, packed": a_config(training=a_training(optimizer="muon"), save_every=2),
    "dropout": a_config(model=a_model(config={**TINY, "attention_dropout": 0.2}), save_every=2),
    "planned anew after memory ran out": a_config(
        model=a_model(config={**TINY, "attention_dropout": 0.2}), save_every=2
    ),
    "an update left out": a_guarded(save_every=5),
}


@pytest.fixture(params=LIVES, ids=str)
def life(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if "memory" in name:
        _leave_room_for(60, monkeypatch)
    return name


def _leave_room_for(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    summed_loss = step.summed_loss

    def with_room(model: Any, batch: Any) -> Any:
        if sum(batch.lengths) > tokens:
            raise torch.OutOfMemoryError(f"tried to allocate {sum(batch.lengths)} tokens")
        return summed_loss(model, batch)

    monkeypatch.setattr(step, "summed_loss", with_room)


def quests(realm: Realm, life: str) -> Orders:
    if "left out" in life:
        return orders(with_strange_rows(realm, (50,)))
    return orders(realm.quest(epochs=2), realm.quest("q2", rows=9, word="other"))


def killed(files: RunLayout, at: int) -> bool:
    """Run in a child that dies at this failpoint, in whichever thread; say whether it came so far."""
    child = os.fork()
    if child == 0:
        met = 0

        def strike(_name: str) -> None:
            nonlocal met
            met += 1
            if met == at:
                os.kill(os.getpid(), signal.SIGKILL)

        failpoints.observe(strike)
        os._exit(run(files.request))
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def lived(
    realm: Realm, life: str, config: RunConfig, chance: random.Random, kills: int
) -> tuple[dict[int, Any], int]:
    """Launch again after each kill, at most so many; return every loss that was told, and the kills."""
    told: dict[int, Any] = {}
    num_killed = 0
    while True:
        newest = max(saved_steps(realm), default=None)
        files = realm.run(quests(realm, life), config, resume_step=newest)
        was_killed = num_killed < kills and killed(files, chance.randint(1, POINTS_IN_A_LIFE))
        num_killed += was_killed
        if not was_killed and not files.exit.exists():
            assert run(files.request) == 0
        for number, loss in losses(files).items() if files.metrics.is_file() else ():
            assert told.setdefault(number, loss) == loss
        if not was_killed:
            return told, num_killed


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.long)])
def test_a_killed_life_ends_with_the_bits_of_the_undisturbed_one(
    realm: Realm, tmp_path: Path, life: str, kills: int
) -> None:
    config, chance = LIVES[life], random.Random(f"{life} {kills}")
    whole = realm.run(quests(realm, life), config)
    run(whole.request)
    last = saved_steps(realm)[-1]
    num_killed, place = 0, 0
    while num_killed < kills:
        place += 1
        other = Realm(tmp_path / str(place))
        told, times = lived(other, life, config, chance, min(3, kills - num_killed))
        num_killed += times
        assert told == losses(whole)
        for name in SAVED:
            mine, theirs = (one.campaign.checkpoint(last) / name for one in (realm, other))
            assert mine.read_bytes() == theirs.read_bytes(), name
        assert manifest(other, last).cursor == manifest(realm, last).cursor
