"""What reaches a trainer while it trains: signals, and new orders."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, orders
from seen import losses, manifest, metrics, saved_steps, why

from state import failpoints
from state.atomic import write_json
from state.contract.files import read
from state.contract.status import RunStatus
from state.layout import RunLayout
from trainer.engine.run import run


def test_sigterm_saves_at_the_next_update_boundary_and_leaves_with_its_reason(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(rows=400, epochs=50)))
    meanwhile(files, lambda: has_updates(files, 3), lambda: os.kill(os.getpid(), signal.SIGTERM))

    assert run(files.request) == 0

    assert (why(files).reason, why(files).message) == ("stopped", "received SIGTERM")
    assert why(files).failure_class == "preempted"
    assert saved_steps(realm) == [why(files).step]
    assert why(files).step == max(losses(files))


def test_orders_to_stop_are_followed_with_their_reason(realm: Realm) -> None:
    quest = realm.quest(rows=400, epochs=50)
    files = realm.run(orders(quest))
    stop = orders(quest, sequence=2, stop="another campaign is active")
    meanwhile(files, lambda: has_updates(files, 3), lambda: write_json(files.orders, stop))

    assert run(files.request) == 0
    assert (why(files).reason, why(files).message) == ("stopped", "another campaign is active")
    assert why(files).failure_class is None


def test_a_pause_saves_and_waits_with_the_model_loaded(realm: Realm) -> None:
    quest = realm.quest(rows=100, epochs=4)
    files = realm.run(orders(quest))
    seen: list[int] = []

    def resume() -> None:
        seen.extend(saved_steps(realm))
        write_json(files.orders, orders(quest, sequence=3, goal_updates=seen[0] + 2))

    pause = orders(quest, sequence=2, pause=True)
    meanwhile(files, lambda: has_updates(files, 3), lambda: write_json(files.orders, pause))
    meanwhile(files, lambda: phase(files) == "paused", resume)

    assert run(files.request) == 0
    assert len(seen) == 1
    assert why(files).reason == "goal_reached"
    assert sorted(losses(files)) == list(range(1, seen[0] + 3))


def test_asked_for_a_checkpoint_it_saves_once_and_goes_on(realm: Realm) -> None:
    quest = realm.quest(rows=100, epochs=4)
    files = realm.run(orders(quest))
    seen: list[int] = []

    def leave() -> None:
        seen.extend(saved_steps(realm))
        write_json(files.orders, orders(quest, sequence=3, save=7, goal_updates=seen[0] + 2))

    save = orders(quest, sequence=2, save=7)
    meanwhile(files, lambda: has_updates(files, 3), lambda: write_json(files.orders, save))
    meanwhile(files, lambda: saved_for(files) == 7, leave)

    assert run(files.request) == 0
    assert len(seen) == 1  # it is there before it is told
    assert why(files).reason == "goal_reached"
    assert saved_steps(realm) == [seen[0], why(files).step]


def test_paused_or_without_anything_learnt_it_answers_too(realm: Realm) -> None:
    quest = realm.quest(rows=100, epochs=4)
    files = realm.run(orders(quest, pause=True))
    save = orders(quest, sequence=2, pause=True, save=3)
    stop = orders(quest, sequence=3, stop="enough")
    meanwhile(files, lambda: phase(files) == "paused", lambda: write_json(files.orders, save))
    meanwhile(files, lambda: saved_for(files) == 3, lambda: write_json(files.orders, stop))

    assert run(files.request) == 0
    assert saved_steps(realm) == []


def test_a_quest_that_comes_while_training_is_trained_by_the_same_process(realm: Realm) -> None:
    first, second = realm.quest("q1", rows=200, epochs=2), realm.quest("q2", word="other")
    files = realm.run(orders(first))
    more = orders(first, second, sequence=2)
    meanwhile(files, lambda: has_updates(files, 2), lambda: write_json(files.orders, more))

    assert run(files.request) == 0
    assert [record.quest_id for record in metrics(files, "quest_finished")] == ["q1", "q2"]
    assert len(metrics(files, "started")) == 1


def test_a_quest_moved_to_the_front_comes_next_and_the_other_goes_on_later(realm: Realm) -> None:
    first, second = realm.quest("q1", rows=200, epochs=2), realm.quest("q2", word="other")
    files = realm.run(orders(first))
    more = orders(second, first, sequence=2)
    meanwhile(files, lambda: has_updates(files, 2), lambda: write_json(files.orders, more))

    assert run(files.request) == 0
    assert [record.quest_id for record in metrics(files, "quest_finished")] == ["q2", "q1"]
    assert all(cursor.complete for cursor in manifest(realm, why(files).step).cursor)


def saved_for(files: RunLayout) -> int:
    return read(files.status, RunStatus).saved_request if files.status.exists() else 0


def meanwhile(files: RunLayout, condition: Callable[[], bool], act: Callable[[], object]) -> None:
    """Act from another thread as soon as the condition holds."""

    def watch() -> None:
        deadline = time.monotonic() + 120
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.005)
        act()

    threading.Thread(target=watch, daemon=True).start()


def has_updates(files: RunLayout, count: int) -> bool:
    return files.metrics.exists() and files.metrics.read_bytes().count(b'"kind":"update"') >= count


def phase(files: RunLayout) -> str:
    return read(files.status, RunStatus).phase if files.status.exists() else "none"


def test_who_is_asked_to_leave_at_the_claim_leaves_before_anything_is_loaded(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))
    ask = {"file.link": lambda: os.kill(os.getpid(), signal.SIGTERM)}
    failpoints.observe(lambda name: ask.pop(name, lambda: None)())

    assert run(files.request) == 0

    assert (why(files).reason, why(files).message) == ("stopped", "received SIGTERM")
    assert not files.metrics.exists()
