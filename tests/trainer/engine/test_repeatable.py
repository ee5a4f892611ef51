"""On a GPU only kernels that give the same bits each time are used, and every operation of an update has one."""

import os
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_model, a_training, orders
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine import setup
from trainer.engine.attention import use_documents
from trainer.engine.model import compute_layers_twice, new_model
from trainer.engine.optimizer import build_optimizers
from trainer.engine.repeatable import WORKSPACE, use_repeatable_kernels
from trainer.engine.run import run
from trainer.engine.step import make_update

WITHOUT = (
    "bincount", "cumsum", "histc", "kthvalue", "median", "nll_loss2d", "put_", "scatter_reduce", "resize_",
    "grid_sampler", "embedding_bag", "ctc_loss", "upsample", "pool2d_backward", "pool3d", "pad2d_backward",
)  # fmt: skip
"""Parts of the names of operations that torch refuses then (documentation of use_deterministic_algorithms)."""


@pytest.fixture
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back what is set for the whole process."""
    monkeypatch.delenv(WORKSPACE, raising=False)
    filled = torch.utils.deterministic.fill_uninitialized_memory
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = filled


@pytest.mark.usefixtures("as_before")
def test_on_a_gpu_kernels_repeat_and_products_have_their_working_space() -> None:
    use_repeatable_kernels(torch.device("cuda", 0))
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()  # that leaves attention as it is
    assert os.environ[WORKSPACE] == ":4096:8"


@pytest.mark.usefixtures("as_before")
def test_on_a_cpu_nothing_is_changed() -> None:
    use_repeatable_kernels(torch.device("cpu"))
    assert not torch.are_deterministic_algorithms_enabled()
    assert WORKSPACE not in os.environ


def test_a_run_asks_for_them_before_it_loads_anything(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    stood = setup._stand_at
    monkeypatch.setattr(setup, "use_repeatable_kernels", lambda device: said.append(str(device)))
    monkeypatch.setattr(setup, "_stand_at", lambda *given: (said.append("loaded"), stood(*given))[1])
    assert run(realm.run(orders(realm.quest(), goal_updates=1), a_config()).request) == 0
    assert said == ["cpu", "loaded"]


class Operations(TorchDispatchMode):
    """Notes those that have no such kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = op.overloadpacket.__name__
        if any(part in name for part in WITHOUT):
            self.seen.add(name)
        return op(*args, **(kwargs or {}))


def unrepeatable(optimizer: str, prepare: Callable[[Any], None]) -> set[str]:
    """Return the operations of an update, dropout included, that would be refused on a GPU."""
    model = new_model(a_model(config={**TINY, "attention_dropout": 0.2}), seed=0, special_ids={}).train()
    prepare(model)
    use_documents(model)
    training = a_training(optimizer=optimizer)
    optimizers = build_optimizers(model, training)
    rows = [
        Document(row=row, ids=array("i", range(length)), spans=((2, length),))
        for row, length in enumerate((9, 9, 8, 7, 5))
    ]
    batches = [to_tensors(flat, "cpu") for flat in pack(rows, 16)]
    with Operations() as operations:
        make_update(model, optimizers, batches, num_trained_tokens(rows), training, "bf16", 1)
    return operations.seen


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("prepare", [lambda _: None, compute_layers_twice], ids=["once", "twice"])
def test_every_operation_of_an_update_has_one(optimizer: str, prepare: Callable[[Any], None]) -> None:
    assert unrepeatable(optimizer, prepare) == set()


def test_one_without_would_be_noticed() -> None:
    def with_a_running_sum(model: Any) -> None:
        model.model.norm.register_forward_hook(lambda _module, _given, made: made + made.cumsum(-1) * 0)

    assert unrepeatable("adamw", with_a_running_sum) == {"cumsum"}
