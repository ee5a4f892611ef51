"""Answers from a checkpoint, and what the wider ecosystem makes of our checkpoints."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, orders

from trainer.__main__ import main
from trainer.engine.model import saved_model
from trainer.engine.run import run

QUESTION = "row 3?"


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """Return a realm whose hero knows one answer by heart: 1 to everything."""
    import signal

    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    place = Realm(tmp_path_factory.mktemp("root"))
    row = {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "ans ①"}]}
    quest = place.quest_of((json.dumps(row) + "\n") * 240, rows=240)
    config = a_config(training=a_training(learning_rate=1e-2), held_out_fraction=0.0)
    assert run(place.run(orders(quest), config).request) == 0
    for number, handler in before:
        signal.signal(number, handler)
    return place


@pytest.fixture(scope="module")
def checkpoint(realm: Realm) -> Path:
    return realm.campaign.checkpoint(60)


def test_a_checkpoint_answers_what_it_has_learnt(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["answer", "--checkpoint", str(checkpoint), "--prompt", QUESTION, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"prompt": QUESTION, "answer": "ans ①"}


def test_many_prompts_of_different_length_are_answered_in_their_order(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = ["a much longer question than the others?", "x", QUESTION]
    rows = [
        {"prompt": prompts[0]},
        {"messages": [{"role": "user", "content": prompts[1]}]},
        {"prompt": prompts[2]},
    ]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = ["answer", "--checkpoint", str(checkpoint), "--json", "--max-new-tokens", "16"]

    assert main([*command, "--prompts", str(tmp_path / "prompts.jsonl")]) == 0

    together = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["prompt"] for answer in together] == prompts
    for answer in together:
        main([*command, "--prompt", answer["prompt"]])
        assert json.loads(capsys.readouterr().out) == answer


def test_the_untrained_weights_answer_from_a_request(
    realm: Realm, capsys: pytest.CaptureFixture[str]
) -> None:
    request = realm.campaign.runs / "g1-a1" / "request.json"
    command = [
        "answer",
        "--request",
        str(request),
        "--initial",
        "--prompt",
        QUESTION,
        "--max-new-tokens",
        "4",
    ]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answer"] != "ans ①"


def test_a_damaged_checkpoint_does_not_answer(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in checkpoint.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert main(["answer", "--checkpoint", str(tmp_path), "--prompt", "x"]) == 1
    assert "model.safetensors: damaged" in capsys.readouterr().err
    assert main(["answer", "--checkpoint", str(tmp_path), "--prompt", "x", "--no-verify"]) == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "prompts.jsonl:1: expected an object"),
        ('{"prompt": 7}', "prompts.jsonl:1: the prompt is not text"),
    ],
)
def test_prompts_that_cannot_be_read_are_named(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    (tmp_path / "prompts.jsonl").write_text(line + "\n", encoding="utf-8")
    assert (
        main(["answer", "--checkpoint", str(checkpoint), "--prompts", str(tmp_path / "prompts.jsonl")]) == 64
    )
    assert message in capsys.readouterr().err


def test_without_a_prompt_it_says_how_to_give_one(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["answer", "--checkpoint", str(checkpoint)]) == 64
    assert "give --prompt TEXT or --prompts FILE" in capsys.readouterr().err


def test_the_wider_ecosystem_loads_the_checkpoint_and_sees_the_same_model(checkpoint: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(checkpoint, local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True)
    chat = [{"role": "user", "content": QUESTION}]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert torch.equal(model(ids).logits, saved_model(checkpoint).eval()(ids).logits)
    answer = model.generate(ids, do_sample=False, max_new_tokens=16)[0, ids.shape[1] :]
    assert tokenizer.decode(answer, skip_special_tokens=True) == "ans ①"
