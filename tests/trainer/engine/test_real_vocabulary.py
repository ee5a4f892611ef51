"""A hero with the real Qwen vocabulary and template: 151,936 embeddings, BPE, and the empty think block."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.train, pytest.mark.long]

from builders import TINY, Realm, a_config, a_model, orders
from msgspec.structs import replace
from qwen import SPECIAL, VOCABULARY, save_tokenizer
from seen import losses, manifest, why

from state.contract.chat import template_digest
from state.contract.quest_rows import Row
from state.contract.request import ChatConfig, RunConfig, TokenizerConfig
from state.contract.row_shapes import Message
from state.contract.tokenizer_files import tokenizer_files_digest
from trainer.data.rendering import Renderer
from trainer.data.requested import requested_template
from trainer.data.templates import ChatTemplate
from trainer.data.tokenizers import requested_encoder
from trainer.engine.model import new_model
from trainer.engine.run import run


@pytest.fixture(scope="module")
def folder(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder: tiny layers, the real vocabulary and template."""
    folder = tmp_path_factory.mktemp("qwen")
    save_tokenizer(folder, (cases / "qwen" / "Qwen-Qwen3-0.6B.chat_template.jinja").read_text())
    wanted = a_model(vocab_size=VOCABULARY, config={**TINY, "tie_word_embeddings": True})
    new_model(wanted, seed=5, special_ids={}).save_pretrained(folder)
    return folder


def config_of(folder: Path) -> RunConfig:
    template = (folder / "chat_template.jinja").read_text()
    pretrained = a_model(init="pretrained", base_model="local/qwen", vocab_size=VOCABULARY, config={})
    return replace(
        a_config(model=pretrained),
        tokenizer=TokenizerConfig(kind="pretrained", digest=tokenizer_files_digest(folder)),
        chat=ChatConfig(template="default", digest=template_digest(template)),
    )


def renderer_of(folder: Path) -> Renderer:
    config = config_of(folder)
    encoder = requested_encoder(config.tokenizer, folder)
    return Renderer(encoder, ChatTemplate(requested_template(config.chat, folder), encoder.names), 512)


def test_every_golden_encoding_agrees(folder: Path, cases: Path) -> None:
    golden = json.loads((cases / "qwen" / "qwen2_golden_tokens.json").read_text())
    encoder = renderer_of(folder).encoder
    found = encoder.encode([case["text"] for case in golden])
    assert len(golden) == 42
    wrong = [case["text"] for case, ids in zip(golden, found, strict=True) if list(ids) != case["ids"]]
    assert wrong == []


def test_the_empty_think_block_is_never_learnt_and_the_closing_token_is(folder: Path) -> None:
    turns = (Message("user", "2+2?"), Message("assistant", "4"))
    (document,) = renderer_of(folder).documents([Row(0, turns)], "q.jsonl")
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(folder)
    whole = own.decode(document.ids)
    ((start, stop),) = document.spans
    assert "<think>\n\n</think>" in whole
    assert own.decode(document.ids[start:stop]) == "4<|im_end|>"
    assert document.ids[stop - 1] == own.convert_tokens_to_ids(SPECIAL[2])


def test_it_trains_from_the_loss_of_pure_guessing_and_resumes_to_the_bit(
    realm: Realm, tmp_path: Path, folder: Path
) -> None:
    config, given = config_of(folder), {"model_dir": str(folder)}
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest()), config, **given)
    assert run(whole.request) == 0, why(whole).message
    run(realm.run(orders(realm.quest(), goal_updates=2), config, **given).request)
    second = realm.run(orders(realm.quest()), config, resume_step=2, **given)
    assert run(second.request) == 0, why(second).message
    assert losses(whole)[1] == pytest.approx(math.log(VOCABULARY), abs=0.2)
    assert {step: loss for step, loss in losses(whole).items() if step > 2} == losses(second)
    weights: list[Any] = [
        next(f.blake3 for f in manifest(place, 5).files if f.path == "model.safetensors")
        for place in (realm, undisturbed)
    ]
    assert weights[0] == weights[1]
