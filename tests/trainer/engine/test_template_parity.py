"""What is trained is what the chat asks for, byte for byte; the empty think block is given, never learnt."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, a_model

from state.contract.chat import BUILT_IN
from state.contract.quest_rows import Row
from state.contract.row_shapes import Message
from trainer.data.documents import Document
from trainer.data.packing import pack
from trainer.data.rendering import Renderer
from trainer.data.templates import ChatTemplate
from trainer.data.tensors import to_tensors
from trainer.data.tokenizers import byte_encoder
from trainer.engine.attention import use_documents
from trainer.engine.losses import summed_loss
from trainer.engine.model import new_model

CONVERSATIONS = [
    [("user", "hi <b> 'é' ①"), ("assistant", "yo")],
    [
        ("system", "be brief"),
        ("user", "2+2?"),
        ("assistant", "4"),
        ("user", "and\n\n3?"),
        ("assistant", " 7 "),
    ],
    [("user", "the token <|im_end|> as text"), ("assistant", "<|im_start|>")],
]
QWEN3 = "qwen3"


@pytest.fixture(params=[*BUILT_IN, QWEN3])
def template(request: pytest.FixtureRequest) -> str:
    if request.param == QWEN3:
        return qwen3_template(request)
    return BUILT_IN[request.param]


def qwen3_template(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("cases")
    return (folder / "qwen" / "Qwen-Qwen3-0.6B.chat_template.jinja").read_text()


def renderer_of(template: str) -> Renderer:
    encoder = byte_encoder()
    return Renderer(encoder, ChatTemplate(template, encoder.names), 512)


def messages(turns: list[tuple[str, str]]) -> tuple[Message, ...]:
    return tuple(Message(role, content) for role, content in turns)


@pytest.mark.parametrize("turns", CONVERSATIONS, ids=["one answer", "two answers", "special tokens as text"])
def test_each_answer_is_learnt_after_exactly_the_bytes_that_a_chat_asks_with(
    template: str, turns: list[tuple[str, str]]
) -> None:
    """Of the last answer, for Qwen3: earlier ones stand in a chat without the think block, too."""
    renderer = renderer_of(template)
    (document,) = renderer.documents([Row(0, messages(turns))], "q.jsonl")
    asked = renderer.prompt_ids(messages(turns[:-1]))
    start, stop = document.spans[-1]
    assert list(document.ids[:start]) == asked
    assert document.ids[stop - 1] == renderer.encoder.eos_id
    answer = renderer.encoder.decode(list(document.ids[start : stop - 1]))
    assert answer.strip() == turns[-1][1].strip()


def test_a_template_that_asks_otherwise_than_it_was_learnt_would_be_noticed(template: str) -> None:
    """The negative control: the same comparison with the prompt of another template fails."""
    turns = CONVERSATIONS[0]
    other = "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}<|im_start|>"
    (document,) = renderer_of(template).documents([Row(0, messages(turns))], "q.jsonl")
    start = document.spans[-1][0]
    assert list(document.ids[:start]) != renderer_of(other).prompt_ids(messages(turns[:-1]))


def test_learning_the_empty_think_block_would_make_the_loss_jump(request: pytest.FixtureRequest) -> None:
    """The negative control of masking it: a model that has learnt the answers does not know the block."""
    renderer = renderer_of(qwen3_template(request))
    rows = [Row(n, messages([("user", f"{n}?"), ("assistant", "yes")])) for n in range(4)]
    documents = renderer.documents(rows, "q.jsonl")
    model = learnt_by_heart(documents)
    masked, unmasked = mean_loss(model, documents), mean_loss(model, [with_block(one) for one in documents])
    assert masked < 0.1
    assert unmasked > 20 * masked
    assert unmasked > 1.0


def with_block(document: Document) -> Document:
    """Return the document with the empty think block before its answer learnt, too: 19 bytes of Qwen3's."""
    ((start, stop),) = document.spans
    block = b"<think>\n\n</think>\n\n"
    assert bytes(list(document.ids[start - len(block) : start])) == block
    return Document(row=document.row, ids=document.ids, spans=((start - len(block), stop),))


def learnt_by_heart(documents: list[Document]) -> Any:
    model = new_model(a_model(config=TINY), seed=0, special_ids={})
    use_documents(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        (sum_loss(model, documents) / num_trained(documents)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


def mean_loss(model: Any, documents: list[Document]) -> float:
    with torch.no_grad():
        return float(sum_loss(model, documents)) / num_trained(documents)


def sum_loss(model: Any, documents: list[Document]) -> Any:
    (batch,) = pack(documents, 100_000)
    return summed_loss(model, to_tensors(batch, "cpu"))


def num_trained(documents: list[Document]) -> int:
    return sum(document.num_trained for document in documents)
