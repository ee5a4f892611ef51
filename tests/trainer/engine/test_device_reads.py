"""An update is queued as a whole: until its loss is read, once, nothing in it asks the device for a value."""

from array import array
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import a_model, a_training
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine import step
from trainer.engine.attention import use_documents
from trainer.engine.model import new_model
from trainer.engine.optimizer import build_optimizers

READS = {"_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal", "unique_dim", "_unique2"}
"""What makes a GPU's host wait: a value, or a result whose size depends on values."""


class Reads(TorchDispatchMode):
    """Notes them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = op.overloadpacket.__name__
        if name in READS:
            self.seen.append(name)
        return op(*args, **(kwargs or {}))


def reads_of_an_update(optimizer: str) -> list[str]:
    """Make an update of three micro-batches; return what was read of the device."""
    model, training = new_model(a_model(), seed=0, special_ids={}), a_training(optimizer=optimizer)
    use_documents(model.train())
    optimizers = build_optimizers(model, training)
    rows = [
        Document(row=row, ids=array("i", range(length)), spans=((2, length),))
        for row, length in enumerate((9, 9, 8, 7, 5))
    ]
    batches = [to_tensors(flat, "cpu") for flat in pack(rows, 16)]
    assert len(batches) == 3
    with Reads() as reads:
        step.make_update(model, optimizers, batches, num_trained_tokens(rows), training, "fp32", 1)
    return reads.seen


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_nothing_inside_an_update_waits_for_the_device(optimizer: str) -> None:
    assert reads_of_an_update(optimizer) == []


def test_a_loss_that_is_read_with_each_micro_batch_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    summed_loss = step.summed_loss

    def read(model: Any, batch: Any) -> Any:
        loss = summed_loss(model, batch)
        assert loss.item() > 0
        return loss

    monkeypatch.setattr(step, "summed_loss", read)
    assert reads_of_an_update("adamw") == ["_local_scalar_dense"] * 3
