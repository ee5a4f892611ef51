"""What an update cost: memory, filling, and the share of a device's arithmetic."""

from array import array

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, orders
from seen import metrics

from state.contract.files import read
from state.contract.memory_need import shape_of
from state.contract.status import RunStatus
from trainer.data.documents import Document
from trainer.data.packing import pack
from trainer.data.tensors import Batch, to_tensors
from trainer.engine import attention
from trainer.engine.measures import fill, model_flops, peak_memory_bytes, utilization
from trainer.engine.run import run

CPU = torch.device("cpu")


def batches_of(*lengths: int) -> list[Batch]:
    rows = [
        Document(row=row, ids=array("i", [1] * length), spans=((0, length),))
        for row, length in enumerate(lengths)
    ]
    return [to_tensors(flat, "cpu") for flat in pack(rows, 1000)]


def test_documents_of_one_length_have_no_filling() -> None:
    assert fill(batches_of(10, 10, 10)) == 1.0


def test_on_a_cpu_documents_of_unlike_length_go_apart_and_nothing_is_filled() -> None:
    assert fill(batches_of(10, 9, 8)) == 1.0


def test_filling_is_counted_where_attention_fills_rows_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(attention.MAX_FILLING, "cpu", attention.MAX_FILLING["cuda"])
    assert fill(batches_of(10, 8)) == 18 / 20
    assert fill(batches_of(10, 4)) == 1.0, "too unlike to go together"


def test_the_peak_of_the_process_grows_with_what_it_takes_and_stays() -> None:
    before = peak_memory_bytes(CPU)
    taken = torch.ones(2**27)
    with_it = peak_memory_bytes(CPU)
    del taken
    assert with_it > before or before > 2**30
    assert with_it > 2**29
    assert peak_memory_bytes(CPU) > 2**29


def test_the_products_of_an_update_are_those_of_the_published_arithmetic() -> None:
    """4.28 GFLOP for each token of 2,048-token documents, all of them trained, in Qwen3-0.6B."""
    fields = {
        "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8,
        "head_dim": 128, "intermediate_size": 3072, "tie_word_embeddings": True,
    }  # fmt: skip
    shape = shape_of(fields, 151_936)
    assert shape is not None
    whole = model_flops(shape, [2048] * 16, 16 * 2048) / (16 * 2048)
    assert whole == pytest.approx(4.28e9, rel=0.01)
    assert model_flops(shape, [2048] * 16, 8 * 2048) / (16 * 2048) == pytest.approx(3.81e9, rel=0.01)


def test_a_share_of_the_peak_is_told_only_where_the_peak_is_known() -> None:
    assert utilization(int(989e12), 2.0, "NVIDIA H200") == pytest.approx(0.5)
    assert utilization(int(989e12), 2.0, None) is None
    assert utilization(int(989e12), 2.0, "a card of tomorrow") is None


def test_every_update_says_what_it_cost(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))
    assert run(files.request) == 0
    told = metrics(files, "update")
    assert told
    for record in told:
        assert record.fill is not None
        assert record.fill == 1.0
        assert record.memory_bytes is not None
        assert record.seconds is not None
        assert record.data_seconds is not None
        assert record.data_seconds < record.seconds
        assert record.mfu is None
    assert read(files.status, RunStatus).peak_memory_bytes == told[-1].memory_bytes
