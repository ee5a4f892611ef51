"""A changed config while training: in force from the next update on, in the same process, and in every checkpoint."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, orders
from seen import losses, manifest, metrics, why

from state.atomic import write_json
from state.contract.effective import EffectiveRun
from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.metrics import MetricsRecord
from state.contract.orders import ConfigInForce, Orders, QuestOrder
from state.contract.process import ProcessIdentity
from state.contract.request import RunConfig, RunRequest, config_hash
from state.contract.status import RunStatus
from state.layout import RunLayout
from trainer.engine.failures import EnvironmentFailure
from trainer.engine.live import request_now
from trainer.engine.run import run

RATE = 1e-3
SPECS = "e" * 40


def changed(config: RunConfig, **sections: dict[str, Any]) -> RunConfig:
    parts = {name: msgspec.structs.replace(getattr(config, name), **new) for name, new in sections.items()}
    return msgspec.structs.replace(config, **parts)


def with_config(config: RunConfig, *quests: QuestOrder, sequence: int = 2, **more: Any) -> Orders:
    given = ConfigInForce(generation=2, config=config, config_hash=config_hash(config), specs_commit=SPECS)
    return orders(*quests, sequence=sequence, config=given, **more)


def meanwhile(*steps: tuple[Callable[[], bool], Callable[[], None]]) -> None:
    """Do each thing beside the run, as soon as its condition holds."""

    def watch() -> None:
        for holds, act in steps:
            while not holds():
                time.sleep(0.002)
            act()

    threading.Thread(target=watch, daemon=True).start()


def has_updates(files: RunLayout, number: int) -> bool:
    return files.metrics.exists() and files.metrics.read_bytes().count(b'"kind":"update"') >= number


def records(files: RunLayout) -> list[MetricsRecord]:
    return [msgspec.json.decode(line, type=MetricsRecord) for line in files.metrics.read_bytes().splitlines()]


def test_a_new_rate_is_in_force_from_the_very_next_update_on_in_the_same_process(realm: Realm) -> None:
    config = a_config(save_every=5)
    quest = realm.quest(rows=400, epochs=60)
    files = realm.run(orders(quest), config)
    new = changed(config, training={"learning_rate": RATE, "warmup_steps": 0})
    command = [sys.executable, "-m", "trainer", "run", "--request", str(files.request)]
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL)) as process:
        wait_until(lambda: has_updates(files, 7))
        write_json(files.orders, with_config(new, quest))
        wait_until(lambda: bool(metrics(files, "config")))
        step = metrics(files, "config")[0].step
        write_json(files.orders, with_config(new, quest, sequence=3, goal_updates=step + 7))
        assert process.wait(timeout=120) == 0
    assert read(files.process, ProcessIdentity).pid == process.pid

    found = records(files)
    place = next(i for i, record in enumerate(found) if record.kind == "config")
    before = [one.learning_rate for one in found[:place] if one.kind == "update"]
    after = [one.learning_rate for one in found[place:] if one.kind == "update"]
    assert len(before) == step
    assert before[2:] == [5e-3] * (step - 2)
    assert after == [RATE] * 7
    assert found[place].note == "training.learning_rate 0.005 → 0.001, training.warmup_steps 2 → 0"
    assert len(metrics(files, "started")) == 1
    assert read(files.exit, RunExit).reason == "goal_reached"


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """Leave no process behind, whatever a test finds."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_each_checkpoint_carries_the_config_that_was_in_force_when_it_was_saved(realm: Realm) -> None:
    config = a_config(save_every=3)
    quest = realm.quest(rows=400, epochs=60)
    files = realm.run(orders(quest), config)
    new = changed(config, checkpoint={"every_updates": 4})

    def end() -> None:
        step = metrics(files, "config")[0].step
        write_json(files.orders, with_config(new, quest, sequence=3, goal_updates=step + 9))

    meanwhile(
        (lambda: has_updates(files, 4), lambda: write_json(files.orders, with_config(new, quest))),
        (lambda: bool(metrics(files, "config")), end),
    )
    assert run(files.request) == 0

    step = metrics(files, "config")[0].step
    saved = [record.step for record in metrics(files, "checkpoint")]
    assert saved == [
        *(n for n in range(1, step + 1) if n % 3 == 0),
        *(n for n in range(step + 1, step + 10) if n % 4 == 0 or n == step + 9),
    ]
    for number in saved:
        made = manifest(realm, number)
        is_new = number > step
        assert made.config_hash == config_hash(new if is_new else config)
        assert made.specs_commit == (SPECS if is_new else "b" * 40)
        assert (made.generation, made.attempt) == (1, 1)
    assert read(files.status, RunStatus).config_hash == config_hash(new)
    assert read(files.effective, EffectiveRun).config_hash == config_hash(new)


def test_a_new_number_of_held_out_rows_counts_from_the_next_measurement_on(realm: Realm) -> None:
    config = a_config(evaluate_every=3)
    quest = realm.quest(rows=60, epochs=400)
    files = realm.run(orders(quest), config)
    new = changed(config, evaluation={"max_rows": 1, "every_updates": 2})

    def end() -> None:
        step = metrics(files, "config")[0].step
        write_json(files.orders, with_config(new, quest, sequence=3, goal_updates=step + 4))

    meanwhile(
        (lambda: has_updates(files, 4), lambda: write_json(files.orders, with_config(new, quest))),
        (lambda: bool(metrics(files, "config")), end),
    )
    assert run(files.request) == 0

    step = metrics(files, "config")[0].step
    measured = [record.step for record in metrics(files, "evaluation")]
    due = {n for n in range(step + 1, step + 5) if n % 2 == 0}
    assert [one for one in measured if one > step] == sorted({*due, step + 4})  # the last one always
    assert read(files.effective, EffectiveRun).config.evaluation.max_rows == 1
    assert list(losses(files)) == list(range(1, step + 5))


def test_a_change_during_a_pause_is_in_force_when_training_goes_on(realm: Realm) -> None:
    config = a_config()
    quest = realm.quest(rows=200, epochs=20)
    files = realm.run(orders(quest), config)
    new = changed(config, training={"learning_rate": RATE, "warmup_steps": 0})
    step: list[int] = []

    def go_on() -> None:
        step.append(max(losses(files)))
        write_json(files.orders, with_config(new, quest, sequence=3, goal_updates=step[0] + 2))

    pause = orders(quest, sequence=2, pause=True)
    meanwhile(
        (lambda: has_updates(files, 3), lambda: write_json(files.orders, pause)),
        (lambda: read(files.status, RunStatus).phase == "paused", go_on),
    )
    assert run(files.request) == 0
    rates = {record.step: record.learning_rate for record in metrics(files, "update")}
    assert (rates[step[0]], rates[step[0] + 1]) == (5e-3, RATE)


def test_orders_without_a_config_mean_the_one_of_the_launch(realm: Realm) -> None:
    config = a_config()
    quest = realm.quest(rows=200, epochs=20)
    launched = realm.run(with_config(changed(config, training={"clip": 2.0}), quest), config)

    def back() -> None:
        write_json(launched.orders, orders(quest, sequence=3, goal_updates=max(losses(launched)) + 2))

    meanwhile((lambda: has_updates(launched, 2), back))
    assert run(launched.request) == 0
    assert [record.note for record in metrics(launched, "config")] == [
        "training.clip 1.0 → 2.0",
        "training.clip 2.0 → 1.0",
    ]
    assert manifest(realm, why(launched).step).config_hash == config_hash(config)


@pytest.mark.parametrize(
    ("sections", "text"),
    [
        (
            {"training": {"batch_size": 4}},
            r"training\.batch_size 2 → 4 cannot be taken up by a running trainer \(resume\)",
        ),
        ({"training": {"optimizer": "muon"}}, r"training\.optimizer adamw → muon cannot .* \(restart\)"),
        (
            {"model": {"vocab_size": 400}},
            r"model\.vocab_size \d+ → 400 cannot .* \(new lineage\); this run goes on",
        ),
    ],
    ids=["resume", "restart", "new lineage"],
)
def test_a_running_trainer_refuses_what_needs_another_launch(realm: Realm, sections: Any, text: str) -> None:
    launched = read(realm.run(orders(realm.quest())).request, RunRequest)
    with pytest.raises(EnvironmentFailure, match=rf"orders 2: {text}"):
        request_now(launched, with_config(changed(launched.config, **sections)))


def test_a_config_that_is_not_what_its_hash_names_is_refused(realm: Realm) -> None:
    launched = read(realm.run(orders(realm.quest())).request, RunRequest)
    wrong = msgspec.structs.replace(with_config(a_config()).config, config_hash="sha256:0")
    with pytest.raises(EnvironmentFailure, match="orders 2: config_hash is not that of their config"):
        request_now(launched, orders(sequence=2, config=wrong))


def test_muon_settings_may_change_under_adamw_for_nobody_reads_them(realm: Realm) -> None:
    launched = read(realm.run(orders(realm.quest())).request, RunRequest)
    new = a_config(training=a_training(muon_momentum=0.5))
    assert request_now(launched, with_config(new)).config == new
