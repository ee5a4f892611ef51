"""`import` and `new hero --model` compare the tensors with the architecture before anything is written."""

import json
import struct
from pathlib import Path

import pytest

from reconciler.app.committing import weights_fit

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


def test_where_the_trainers_libraries_are_not_installed_it_says_that_nothing_was_compared(
    run, lab: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_fit, "find_spec", lambda _: None)
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
