"""`kill -9` of the trainer at random points of its life, wherever it is: weights, moments and losses to the bit."""

import random
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from apart import Apart
from builders import TINY, Realm, a_config, a_guarded, a_model, a_training, orders, with_strange_rows
from seen import losses, manifest, saved_steps
from strikes import Growth, growing, leave_room_for, run_killed_at

from state.contract.orders import Orders
from state.contract.run_config import RunConfig
from trainer.engine import step
from trainer.engine.run import run

POINTS_IN_A_LIFE = 90
"""About so many failpoints the undisturbed run reaches."""
SAVED = ("model.safetensors", "optimizer.safetensors", "trainer_state.json")
LIVES = {
    "muon, packed": a_config(training=a_training(optimizer="muon"), save_every=2),
    "bf16, in blocks": a_config(training=a_training(precision="bf16"), save_every=2),
    "dropout": a_config(model=a_model(config={**TINY, "attention_dropout": 0.2}), save_every=2),
    "planned anew after memory ran out": a_config(
        model=a_model(config={**TINY, "attention_dropout": 0.2}), save_every=2
    ),
    "an update left out": a_guarded(save_every=5),
    "a queue that grew and other priorities": a_config(save_every=2),
}


@pytest.fixture(params=LIVES, ids=str)
def life(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setattr(step, "summed_loss", step.summed_loss)  # given back afterwards
    if (room := room_in(name)) is not None:
        leave_room_for(room)
    return name


def room_in(life: str) -> int | None:
    """Return how many tokens of a micro-batch there is memory for in this life; None: for any number."""
    return 60 if "memory" in life else None


def quests(realm: Realm, life: str) -> Orders:
    if "left out" in life:
        return orders(with_strange_rows(realm, (50,)))
    return orders(realm.quest(epochs=2), realm.quest("q2", rows=9, word="other"))


def growth_of(realm: Realm, life: str) -> Growth | None:
    """Return the orders that come in the middle of the first quest: a new one in front, and that one last."""
    if "grew" not in life:
        return None
    first, second = quests(realm, life).quests
    later = orders(realm.quest("q3", rows=12, word="new"), second, first, sequence=2)
    return Growth(update=3, orders=later)


def lived(
    realm: Realm, life: str, config: RunConfig, chance: random.Random, kills: int, apart: Apart
) -> tuple[dict[int, Any], int]:
    """Launch again after each kill, at most so many; return every loss that was told, and the kills."""
    told: dict[int, Any] = {}
    num_killed = 0
    while True:
        newest = max(saved_steps(realm), default=None)
        growth = growth_of(realm, life)
        has_grown = growth is not None and (newest or 0) >= growth.update
        files = realm.run(growth.orders if has_grown else quests(realm, life), config, resume_step=newest)
        at = chance.randint(1, POINTS_IN_A_LIFE)
        was_killed = num_killed < kills and died(apart, at, files, room_in(life), growth)
        num_killed += was_killed
        if not was_killed and not files.exit.exists():
            with growing(files, growth):
                assert run(files.request) == 0
        for number, loss in losses(files).items() if files.metrics.is_file() else ():
            assert told.setdefault(number, loss) == loss
        if not was_killed:
            return told, num_killed


def died(apart: Apart, *given: Any) -> bool:
    return apart(run_killed_at, *given) == -signal.SIGKILL


@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.long)])
def test_a_killed_life_ends_with_the_bits_of_the_undisturbed_one(
    realm: Realm, tmp_path: Path, apart: Apart, life: str, kills: int
) -> None:
    config, chance = LIVES[life], random.Random(f"{life} {kills}")
    whole = realm.run(quests(realm, life), config)
    with growing(whole, growth_of(realm, life)):
        run(whole.request)
    last = saved_steps(realm)[-1]
    num_killed, place = 0, 0
    while num_killed < kills:
        place += 1
        other = Realm(tmp_path / str(place))
        told, times = lived(other, life, config, chance, min(3, kills - num_killed), apart)
        num_killed += times
        assert told == losses(whole)
        for name in SAVED:
            mine, theirs = (one.campaign.checkpoint(last) / name for one in (realm, other))
            assert mine.read_bytes() == theirs.read_bytes(), name
        assert manifest(other, last).cursor == manifest(realm, last).cursor


def test_the_queue_that_grows_is_another_life_than_the_one_that_does_not(
    realm: Realm, tmp_path: Path
) -> None:
    """The negative control: without the new orders other rows are learnt from the fourth update on."""
    found = []
    for place, life in ((realm, "a queue that grew"), (Realm(tmp_path / "other"), "one that did not")):
        files = place.run(quests(place, life), a_config(save_every=2))
        with growing(files, growth_of(place, life)):
            run(files.request)
        found.append(losses(files))
    grown, other = found
    assert [grown[number] == other[number] for number in (1, 2, 3, 4)] == [True, True, True, False]
