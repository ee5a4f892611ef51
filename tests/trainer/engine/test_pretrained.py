"""A hero with pretrained weights and a tokenizer of its own, from its folder to an answering checkpoint."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from adapters import adapter_training
from builders import TINY, Realm, a_config, a_model, a_training, orders
from safetensors.torch import load_file, save_file
from seen import saved_steps

from state.contract.byte_tokens import END_OF_TEXT
from state.contract.chat import CHATML, template_digest
from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.request import ChatConfig, RunConfig, TokenizerConfig
from state.contract.tokenizer_files import TOKENIZER_FILES, tokenizer_files_digest
from trainer.__main__ import main
from trainer.data.tokenizers import byte_tokenizer
from trainer.engine.model import new_model
from trainer.engine.run import run


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "base"
    new_model(a_model(), seed=5, special_ids={}).save_pretrained(folder)
    byte_tokenizer(CHATML, 128).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def a_pretrained_config(folder: Path, **changes: Any) -> RunConfig:
    return msgspec.structs.replace(
        a_config(model=a_model(init="pretrained", base_model="local/base", config={}), **changes),
        tokenizer=TokenizerConfig(kind="pretrained", digest=tokenizer_files_digest(folder)),
        chat=ChatConfig(template="default", digest=template_digest(CHATML)),
    )


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_fail_the_model_before_any_row(
    realm: Realm, model_dir: Path, value: float, method: str
) -> None:
    """Else the loss of the first update is NaN, and three launches later the quest is blamed."""
    weights = load_file(model_dir / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"][3, 2] = value
    save_file(weights, model_dir / "model.safetensors", {"format": "pt"})
    training = a_training() if method == "full" else adapter_training()
    config = a_pretrained_config(model_dir, training=training)
    files = realm.run(orders(realm.quest()), config, model_dir=str(model_dir))
    assert run(files.request) == 1
    found = read(files.exit, RunExit)
    assert (found.failure_class, found.step, found.quest_id) == ("settings", 0, None)
    assert found.message == (
        f"{model_dir}: 1 tensor of the model not finite (NaN or infinite), for example "
        "'model.layers.0.mlp.up_proj.weight': no rows can be trained on these weights. "
        "Bring a whole copy of the model there"
    )


def test_a_pretrained_hero_trains_keeps_its_tokenizer_resumes_and_answers(
    realm: Realm, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = a_pretrained_config(model_dir)
    first = realm.run(orders(realm.quest(), goal_updates=2), config, model_dir=str(model_dir))
    assert run(first.request) == 0, read(first.exit, RunExit).message

    checkpoint = realm.campaign.checkpoint(2)
    for name in TOKENIZER_FILES:
        if (model_dir / name).exists():
            assert (checkpoint / name).read_bytes() == (model_dir / name).read_bytes()
    second = realm.run(orders(realm.quest()), config, model_dir=str(model_dir), resume_step=2)
    assert run(second.request) == 0
    capsys.readouterr()
    assert (
        main(["answer", "--checkpoint", str(checkpoint), "--prompt", "row 1?", "--max-new-tokens", "3"]) == 0
    )
    assert capsys.readouterr().out.startswith("row 1?")


def test_pretrained_weights_without_a_folder_are_refused(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), a_config(model=a_model(init="pretrained")))
    assert run(files.request) == 1
    assert "model_dir is null" in read(files.exit, RunExit).message


def without(folder: Path, name: str, instead: str | None = None) -> None:
    """Take one tensor out of a model's file, or give it another name."""
    weights = load_file(folder / "model.safetensors")
    tensor = weights.pop(name)
    if instead is not None:
        weights[instead] = tensor
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


_DOWN, _OTHER = "model.layers.0.mlp.down_proj.weight", "model.decoder.layers.0.mlp.down_proj.weight"


@pytest.mark.parametrize(
    ("instead", "others"),
    [(None, "proj.weight'. Bring"), (_OTHER, f"; of 1 tensor there it knows nothing, as {_OTHER!r}")],
)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_base_that_lacks_weights_is_refused_and_none_is_made_up(
    realm: Realm, model_dir: Path, method: str, instead: str | None, others: str
) -> None:
    without(model_dir, _DOWN, instead)
    config = a_pretrained_config(model_dir, training=a_training(method=method))
    files = realm.run(orders(realm.quest(), goal_updates=2), config, model_dir=str(model_dir))
    assert run(files.request) == 1
    message = str(read(files.exit, RunExit).message)
    assert f"1 tensor of the model not in its files, for example {_DOWN!r}" in message
    assert others in message


def test_a_head_that_is_tied_to_the_embeddings_lacks_nothing(realm: Realm, model_dir: Path) -> None:
    new_model(a_model(config=TINY | {"tie_word_embeddings": True}), 5, {}).save_pretrained(model_dir)
    assert "lm_head.weight" not in load_file(model_dir / "model.safetensors")
    files = realm.run(
        orders(realm.quest(), goal_updates=1), a_pretrained_config(model_dir), model_dir=str(model_dir)
    )
    assert run(files.request) == 0


def test_an_answer_of_a_base_model_ends_where_its_turns_were_learnt_to_end(
    realm: Realm, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its tokenizer ends text with another token than its template ends turns with, as Qwen's base models do."""
    names = json.loads((model_dir / "tokenizer_config.json").read_text())
    (model_dir / "tokenizer_config.json").write_text(json.dumps(names | {"eos_token": END_OF_TEXT}))
    row = json.dumps(
        {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}
    )
    config = a_pretrained_config(model_dir, training=a_training(learning_rate=1e-2), held_out_fraction=0.0)
    quest = realm.quest_of(f"{row}\n" * 240, rows=240)
    files = realm.run(orders(quest), config, model_dir=str(model_dir))
    assert run(files.request) == 0, read(files.exit, RunExit).message
    checkpoint = realm.campaign.checkpoint(saved_steps(realm)[-1])
    capsys.readouterr()
    main(["answer", "--checkpoint", str(checkpoint), "--prompt", "hi", "--max-new-tokens", "20"])
    assert capsys.readouterr().out.split() == ["hi", "→", "yes"]  # without an end it says yesyesyes
    generation = json.loads((checkpoint / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [256, 258]
