"""The loss of a packed row is that of its documents alone, and only what is to be learnt is."""

from array import array
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import a_model
from msgspec.structs import replace

from trainer.data.documents import Document
from trainer.data.packing import pack
from trainer.data.tensors import Batch, to_tensors
from trainer.engine import attention
from trainer.engine.attention import use_documents
from trainer.engine.compiling import compile_layers, is_compiled
from trainer.engine.failures import SettingsError
from trainer.engine.losses import summed_loss
from trainer.engine.model import compute_layers_twice, new_model

LENGTHS = (7, 2, 12, 5, 9, 12)
EVERYTHING = 1000
"""A budget of tokens that all documents fit into."""


def a_double_model(**config: Any) -> Any:
    asked = a_model()
    model = new_model(replace(asked, config={**asked.config, **config}), seed=0, special_ids={}).double()
    use_documents(model)
    return model


def documents() -> list[Document]:
    """Return documents whose first half is a prompt."""
    generator = torch.Generator().manual_seed(1)
    return [
        Document(
            row=row,
            ids=array("i", torch.randint(0, 256, (length,), generator=generator).tolist()),
            spans=((length // 2, length),),
        )
        for row, length in enumerate(LENGTHS)
    ]


def packed(found: list[Document], budget: int = EVERYTHING) -> list[Batch]:
    return [to_tensors(flat, "cpu") for flat in pack(found, budget)]


def learnt(model: Any, batches: list[Batch]) -> tuple[float, torch.Tensor]:
    """Return the summed loss and the whole gradient."""
    model.zero_grad()
    total = sum(summed_loss(model, batch) for batch in batches)
    total.backward()
    return total.item(), torch.cat([p.grad.flatten() for p in model.parameters()])


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_key_value_heads": 4, "num_attention_heads": 4},
        {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    ],
    ids=["grouped heads", "a head of keys for each", "a sliding window"],
)
def test_a_packed_row_equals_one_document_at_a_time(config: dict[str, Any]) -> None:
    model = a_double_model(**config)
    alone_loss, alone = learnt(model, packed(documents(), budget=0))
    loss, together = learnt(model, packed(documents()))
    assert loss == pytest.approx(alone_loss, rel=1e-6)  # summed in float32
    assert distance(together, alone) < 1e-5


def test_rows_that_are_filled_up_as_on_a_gpu_teach_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = a_double_model()
    loss, apart = learnt(model, packed(documents()))
    monkeypatch.setitem(attention.MAX_FILLING, "cpu", 1.5)
    (batch,) = packed(documents())
    assert not all(group.is_full for group in attention.Documents(batch.lengths, batch.bounds).groups)
    filled_loss, filled = learnt(model, [batch])
    assert filled_loss == pytest.approx(loss, rel=1e-6)  # summed in float32
    assert distance(filled, apart) < 1e-5


def test_one_document_equals_what_transformers_computes() -> None:
    """With its own attention, on rows filled up to one length."""
    model, found = a_double_model(), documents()
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(d.ids) for d in found], batch_first=True)
    labels = torch.full_like(ids, -100)
    for row, document in enumerate(found):
        labels[row, : len(document)] = torch.tensor(document.labels())
    mask = (torch.arange(ids.shape[1]) < torch.tensor(LENGTHS)[:, None]).long()
    ours, gradient = learnt(model, packed(found))
    model.set_attn_implementation("sdpa")
    model.zero_grad()
    theirs = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss
    count = int((labels[:, 1:] != -100).sum())
    (theirs * count).backward()
    assert ours / count == pytest.approx(theirs.item(), rel=1e-6)
    assert distance(gradient, torch.cat([p.grad.flatten() for p in model.parameters()])) < 1e-5


def test_without_our_attention_documents_would_contaminate_each_other() -> None:
    """The negative control of the tests above: the same flat row with an ordinary causal mask."""
    model, (batch,) = a_double_model(), packed(documents())
    _, right = learnt(model, [batch])
    model.set_attn_implementation("sdpa")
    model.zero_grad()
    hidden = model.base_model(input_ids=batch.ids_1T, use_cache=False).last_hidden_state[0, batch.sources_N]
    logits = model.get_output_embeddings()(hidden)
    torch.nn.functional.cross_entropy(logits, batch.targets_N, reduction="sum").backward()
    assert distance(torch.cat([p.grad.flatten() for p in model.parameters()]), right) > 0.1


def test_a_model_with_another_attention_is_refused() -> None:
    model, (batch,) = a_double_model(), packed(documents())
    model.set_attn_implementation("sdpa")
    with pytest.raises(ValueError, match="the model's attention is 'sdpa', not 'realm_documents'"):
        summed_loss(model, batch)


def test_a_model_whose_attention_cannot_be_replaced_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = a_double_model()
    monkeypatch.setattr(type(model), "_supports_attention_backend", False)
    with pytest.raises(SettingsError, match="Qwen3ForCausalLM has attention of its own"):
        use_documents(model)


def test_changing_a_document_changes_no_other_to_the_last_bit() -> None:
    model, found = a_double_model(), documents()
    model.eval()
    with torch.no_grad():
        (batch,) = packed(found)
        before = hidden_by_row(model, batch, found)
        found[2] = Document(
            row=2, ids=array("i", [(i + 13) % 256 for i in found[2].ids]), spans=found[2].spans
        )
        (batch,) = packed(found)
        after = hidden_by_row(model, batch, found)
    assert [row for row in before if not torch.equal(before[row], after[row])] == [2]


def hidden_by_row(model: Any, batch: Batch, found: list[Document]) -> dict[int, torch.Tensor]:
    """Return the last hidden states of each document."""
    from trainer.engine.attention import Documents

    hidden = model.base_model(
        input_ids=batch.ids_1T,
        position_ids=batch.positions_1T,
        use_cache=False,
        documents=Documents(batch.lengths, batch.bounds),
    ).last_hidden_state[0]
    (flat,) = pack(found, EVERYTHING)
    return dict(zip(flat.rows, hidden.split(flat.lengths), strict=True))


def test_learning_the_prompts_too_gives_another_gradient() -> None:
    """The negative control of the spans."""
    model, found = a_double_model(), documents()
    _, answers = learnt(model, packed(found))
    whole = [replace(document, spans=((0, len(document)),)) for document in found]
    _, everything = learnt(model, packed(whole))
    assert distance(everything, answers) > 0.1


def test_a_row_with_nothing_to_learn_gives_no_gradient_at_all() -> None:
    model, found = a_double_model(), [replace(document, spans=()) for document in documents()]
    loss, gradient = learnt(model, packed(found))
    assert (loss, gradient.abs().max()) == (0, 0)


def test_many_logits_are_made_in_chunks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batches = a_double_model(), packed(documents())
    whole_loss, whole = learnt(model, batches)
    monkeypatch.setattr("trainer.engine.head.CHUNK_LOGITS", {"cpu": 320 * 3})
    monkeypatch.setattr("trainer.engine.head.MIN_CHUNK", 3)
    loss, chunked = learnt(model, batches)
    assert loss == pytest.approx(whole_loss, rel=1e-6)
    assert distance(chunked, whole) < 1e-5


def test_computing_the_layers_twice_instead_of_keeping_them_changes_nothing() -> None:
    model, batches = a_double_model(), packed(documents())
    model.train()
    loss, kept = learnt(model, batches)
    compute_layers_twice(model)
    again_loss, again = learnt(model, batches)
    assert again_loss == loss
    assert torch.equal(again, kept)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # torch warns of what it does itself while it traces
def test_compiled_layers_learn_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and run without generating code, which is how far a machine without a GPU can look."""
    model, batches = a_double_model(), packed(documents())
    loss, plain = learnt(model, batches)
    monkeypatch.setattr("trainer.engine.compiling._pays_back", lambda _: True)
    assert compile_layers(model, torch.device("cpu"), backend="aot_eager")
    assert is_compiled(model)
    again, compiled = learnt(model, batches)
    assert again == pytest.approx(loss, rel=1e-6)
    assert distance(compiled, plain) < 1e-5


def test_the_saved_config_does_not_name_our_attention(tmp_path: Any) -> None:
    model = a_double_model()
    model.config.to_json_file(tmp_path / "config.json", use_diff=False)
    assert "realm_documents" not in (tmp_path / "config.json").read_text()
