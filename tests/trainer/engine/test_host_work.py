"""What the host does beside the device's work: layers computed twice at little cost, no collector in between."""

import gc
import sys
import weakref
from array import array
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from adapters import adapter_training
from builders import TINY, Realm, a_config, a_model, a_training, orders
from seen import losses

from trainer.data.ahead import Ahead
from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine import saving, session, setup
from trainer.engine.attention import use_documents
from trainer.engine.model import compute_layers_twice, new_model
from trainer.engine.run import run
from trainer.engine.step import accumulate_gradients

DEEP = a_model(config={**TINY, "num_hidden_layers": 8})


def calls_of_an_update(prepare: Callable[[Any], None]) -> int:
    """Return how often Python is called while the gradients of an update are made."""
    model = new_model(DEEP, seed=0, special_ids={}).train()
    prepare(model)
    use_documents(model)
    rows = [Document(row=row, ids=array("i", range(9)), spans=((2, 9),)) for row in range(4)]
    batches = [to_tensors(flat, "cpu") for flat in pack(rows, 64)]
    number, calls = num_trained_tokens(rows), 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    accumulate_gradients(model, batches, number, "fp32")  # what only the first one does
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        accumulate_gradients(model, batches, number, "fp32")
    finally:
        sys.setprofile(before)
    return calls


def test_computing_layers_twice_costs_the_host_no_more_than_twice_the_work() -> None:
    once = calls_of_an_update(lambda _: None)
    assert calls_of_an_update(compute_layers_twice) < 2.2 * once


def test_the_librarys_own_way_of_computing_them_twice_costs_three_times_the_work() -> None:
    """The negative control: without reentering, each tensor that a layer keeps is a call into Python."""
    once = calls_of_an_update(lambda _: None)

    def as_the_library_does(model: Any) -> None:
        model.activation_checkpointing_enable({"use_reentrant": False})

    assert calls_of_an_update(as_the_library_does) > 3 * once


@pytest.mark.parametrize("method", ["full", "lora"])
def test_layers_computed_twice_learn_the_same_to_the_bit(realm: Realm, method: str) -> None:
    """With adapters too, where nothing before the layers has a gradient."""
    if method == "lora":
        pytest.importorskip("peft")
    found = []
    for twice in (False, True):
        changes = {"gradient_checkpointing": twice}
        training = a_training(**changes) if method == "full" else adapter_training(**changes)
        other = Realm(realm.layout.root / f"twice-{twice}")
        files = other.run(orders(other.quest()), a_config(training=training))
        assert run(files.request) == 0
        found.append(list(losses(files).values()))
    assert found[0] == found[1]
    assert found[0][-1] != found[0][0]


def objects_to_look_at(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many objects the collector would look at, were it to run in each update."""
    seen: list[int] = []
    made = session.apply_update
    monkeypatch.setattr(Ahead, "begin", lambda *_: None)  # no other thread may make tuples while we count

    def looked(*arguments: Any) -> Any:
        seen.append(len(gc.get_objects()))
        return made(*arguments)

    monkeypatch.setattr(session, "apply_update", looked)
    files = realm.run(orders(realm.quest()), a_config())
    assert run(files.request) == 0
    return seen


def test_the_collector_does_not_look_at_what_was_loaded(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert max(objects_to_look_at(realm, monkeypatch)) < 20_000


def test_without_freezing_every_look_would_be_at_everything(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: torch and transformers alone are hundreds of thousands of objects."""
    gc.unfreeze()
    monkeypatch.setattr(setup.gc, "freeze", lambda: None)
    assert min(objects_to_look_at(realm, monkeypatch)) > 100_000


class Garbage:
    """Something that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def garbage_left_after_a_checkpoint(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> int:
    """Leave a cycle behind with each of five updates, the collector off; return how many the last one finds."""
    made, left, found = session.apply_update, [], []

    def leaving(*arguments: Any) -> Any:
        gc.disable()
        found.append(sum(one() is not None for one in left))
        left.append(weakref.ref(Garbage()))
        return made(*arguments)

    monkeypatch.setattr(session, "apply_update", leaving)
    files = realm.run(orders(realm.quest()), a_config(save_every=2))
    assert run(files.request) == 0
    assert len(found) == 5
    return found[-1]


def test_garbage_is_collected_with_each_checkpoint(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert garbage_left_after_a_checkpoint(realm, monkeypatch) == 0


def test_without_that_it_would_stay(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(saving.gc, "collect", lambda: 0)
    assert garbage_left_after_a_checkpoint(realm, monkeypatch) == 4
