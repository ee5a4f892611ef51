"""A hero with pretrained weights and a tokenizer of its own, from its folder to an answering checkpoint."""

import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_model, orders

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


def a_pretrained_config(folder: Path) -> RunConfig:
    return msgspec.structs.replace(
        a_config(model=a_model(init="pretrained", base_model="local/base", config={})),
        tokenizer=TokenizerConfig(kind="pretrained", digest=tokenizer_files_digest(folder)),
        chat=ChatConfig(template="default", digest=template_digest(CHATML)),
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
