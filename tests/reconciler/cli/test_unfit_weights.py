"""`import` and `new hero --model` compare the tensors with the architecture before anything is written."""

import json
import os
import struct
from pathlib import Path

import pytest

from reconciler.app.data import unfit_weights

CONFIG = {
    **{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "tie_word_embeddings": True},
    **{"vocab_size": 320, "max_position_embeddings": 64, "hidden_size": 16, "intermediate_size": 32},
    **{"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8},
}
"""Of the hero pip."""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Weights of other software: of the hero's sizes, with one tensor that no Qwen3 has."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text("{}")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    return folder


@pytest.mark.train
def test_weights_without_the_models_tensors_are_committed_by_nobody(
    run, lab: Path, git, theirs: Path
) -> None:
    pytest.importorskip("torch")
    commits = git(lab, "rev-list", "--count", "HEAD")
    refused = run("import", str(theirs), "--hero", "pip")
    assert refused.exit_code == 1
    told = " ".join(refused.stderr.split())
    assert f"{theirs}: 13 tensors of the model not in its files, for example 'model.embed_tokens" in told
    assert "of 1 tensor there it knows nothing, as 'w'" in told
    assert "nothing was committed" in told
    assert git(lab, "rev-list", "--count", "HEAD") == commits


@pytest.mark.train
def test_no_hero_is_written_of_a_base_that_lacks_tensors(run, lab: Path, theirs: Path) -> None:
    pytest.importorskip("torch")
    refused = run("new", "hero", "mine", "--model", str(theirs))
    assert refused.exit_code == 1
    assert "tensors of the model not in its files" in " ".join(refused.stderr.split())
    assert not (lab / "specs/heroes/mine.yaml").exists()


@pytest.fixture
def by_hand(lab: Path, git, theirs: Path) -> Path:
    """Let pip be of those weights by a spec that a person wrote; return the one file of tensors."""
    spec = lab / "specs/heroes/pip.yaml"
    model = f"model: {{hf_name: {theirs}, family: qwen3, architecture: Qwen3ForCausalLM,"
    lines = [
        f"{model} vocab_size: 320, context_length: 64}}",
        "chat: {template: chatml}",
        "training_defaults: {max_length: 64}",
    ]
    spec.write_text("\n".join(["id: pip", *lines]) + "\n")
    git(lab, "commit", "-qam", "by hand")
    return theirs / "model.safetensors"


def codes_of(run, hero: str) -> list[str]:
    blocked = json.loads(run("plan", "--json").stdout)["blocked"]
    return [one["code"] for one in blocked if one["subject"] == hero]


@pytest.mark.train
def test_weights_of_a_hero_written_by_hand_are_compared_before_the_launch(run, by_hand: Path) -> None:
    pytest.importorskip("torch")
    assert "weights-unfit" not in codes_of(run, "hero/pip")

    refused = run("validate", "--data")
    assert refused.exit_code == 1
    told = " ".join(refused.stdout.split())
    assert f"error: hero/pip (specs/heroes/pip.yaml:2): {by_hand.parent}: " in told
    assert "tensors of the model not in its files" in told
    assert "comparing the weights in" in refused.stderr
    assert "weights-unfit" in codes_of(run, "hero/pip")

    os.utime(by_hand, (1, 1))  # as if they were put right: nobody has compared these
    assert "weights-unfit" not in codes_of(run, "hero/pip")


@pytest.mark.train
def test_weights_that_fill_their_model_are_compared_once(run, by_hand: Path) -> None:
    transformers = pytest.importorskip("transformers")
    by_hand.unlink()
    config = transformers.Qwen3Config.from_pretrained(by_hand.parent)
    transformers.Qwen3ForCausalLM(config).save_pretrained(by_hand.parent)
    first, second = run("validate", "--data"), run("validate", "--data")
    assert "comparing the weights in" in first.stderr
    assert "comparing the weights in" not in second.stderr
    assert "of the model not in its files" not in first.stdout + second.stdout
    assert "weights-unfit" not in codes_of(run, "hero/pip")


def test_of_weights_that_nobody_could_compare_it_is_said(
    run, by_hand: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfit_weights, "find_spec", lambda _: None)
    told = " ".join(run("validate", "--data").stdout.split())
    assert "hero/pip (specs/heroes/pip.yaml:2): its weights were not compared with its model: torch" in told
    assert "weights-unfit" not in codes_of(run, "hero/pip")


def test_where_the_trainers_libraries_are_not_installed_it_says_that_nothing_was_compared(
    run, lab: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfit_weights, "find_spec", lambda _: None)
    for arguments in (
        ("import", str(theirs), "--hero", "pip"),
        ("new", "hero", "mine", "--model", str(theirs)),
    ):
        made = run(*arguments)
        assert made.exit_code == 0, made.output
        told = " ".join(made.stderr.split())
        assert (
            "its tensors were not compared with the architecture's: torch, transformers, safetensors" in told
        )
        assert "pip install 'realm-reconciler[train]'" in told


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("{}", "its config.json names no architecture, or several", id="empty"),
        pytest.param('{"architectures": ["A", "B"]}', "names no architecture, or several", id="two"),
    ],
)
def test_a_config_that_does_not_say_of_what_model_the_weights_are_is_refused(
    run, lab: Path, git, theirs: Path, said: str, expected: str
) -> None:
    commits = git(lab, "rev-list", "--count", "HEAD")
    (theirs / "config.json").write_text(said)
    refused = run("import", str(theirs), "--hero", "pip")
    assert refused.exit_code == 1
    assert expected in " ".join(refused.stderr.split())
    assert git(lab, "rev-list", "--count", "HEAD") == commits


def test_a_hero_of_a_config_without_an_architecture_is_told_which_file_to_bring(run, theirs: Path) -> None:
    (theirs / "config.json").write_text("{}")
    refused = run("new", "hero", "mine", "--model", str(theirs))
    assert refused.exit_code == 1
    assert "bring the config.json that was saved with them" in " ".join(refused.stderr.split())
