"""`new hero --model`: the facts of a hero are those of the model's own config.json."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.data import unfit_weights

CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
}


@pytest.fixture(autouse=True)
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights here are of one tensor: whether tensors fill a model is another module's matter."""
    monkeypatch.setattr(unfit_weights, "find_spec", lambda _: None)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a config and whole weights of one tensor."""
    return save(tmp_path / "models/mine", CONFIG)


def save(folder: Path, config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def facts(run, hero: str) -> dict[str, str]:
    """Return key and value of each line of the hero's spec, without comments."""
    text = Path(json.loads(run("new", "hero", "--json", *hero.split()).stdout)["path"]).read_text()
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    return dict(line.split(": ", 1) for line in lines if ": " in line and line[0] != "#")


def test_a_hero_of_a_folder_has_the_facts_of_its_config_and_no_mistakes(run, model: Path) -> None:
    found = facts(run, f"mine --model {model}")
    assert (found["hf_name"], found["family"], found["architecture"]) == (
        str(model),
        "qwen3",
        "Qwen3ForCausalLM",
    )
    assert (found["vocab_size"], found["context_length"], found["max_length"]) == ("151936", "40960", "2048")
    assert "size_b" not in found
    assert run("validate").exit_code == 0


def test_training_is_no_longer_than_a_short_context(run, tmp_path: Path) -> None:
    short = save(tmp_path / "short", CONFIG | {"max_position_embeddings": 512})
    found = facts(run, f"short --model {short}")
    assert (found["context_length"], found["max_length"]) == ("512", "512")


def test_the_chat_template_is_the_models_own_where_it_has_one(run, model: Path, tmp_path: Path) -> None:
    assert facts(run, f"plain --model {model}")["chat"] == "{template: chatml}"
    (model / "chat_template.jinja").write_text("{{ messages }}")
    assert facts(run, f"own --model {model}")["chat"] == "{template: default}"


def test_a_path_is_written_whole_and_a_name_as_it_is(
    run, model: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    assert facts(run, "one --model ./mine")["hf_name"] == str(model)
    save(root / "models/other", CONFIG)
    assert facts(run, "two --model other")["hf_name"] == "other"


def test_a_model_in_the_hubs_cache_is_found_by_its_id(run, tmp_path: Path) -> None:
    repository = tmp_path / "home/.cache/huggingface/hub/models--org--tiny"
    revision = "0" * 40
    save(repository / "snapshots" / revision, CONFIG)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(revision)
    assert facts(run, "tiny --model org/tiny")["hf_name"] == "org/tiny"


def test_a_model_that_is_not_here_is_named_with_why_and_nothing_is_written(
    run, lab: Path, tmp_path: Path
) -> None:
    result = run("new", "hero", "far", "--model", "org/far")
    assert result.exit_code == 5
    assert "org/far: " in result.stderr
    assert "nothing was written (weights are never downloaded)" in result.stderr
    assert not (lab / "specs/heroes/far.yaml").exists()


def test_a_config_that_leaves_a_fact_out_is_refused_and_nothing_is_guessed(
    run, lab: Path, tmp_path: Path
) -> None:
    silent = save(tmp_path / "silent", {"architectures": ["X"], "vocab_size": 7})
    result = run("new", "hero", "silent", "--model", str(silent))
    assert result.exit_code == 1
    assert (
        "its config.json does not say model_type, max_position_embeddings, and nothing is guessed"
        in result.stderr
    )
    assert not (lab / "specs/heroes/silent.yaml").exists()


def test_a_config_with_hostile_text_writes_no_other_keys(run, lab: Path, tmp_path: Path) -> None:
    words = "x\nsuspend: {reason: y}"
    hostile = save(tmp_path / "hostile", CONFIG | {"model_type": words})
    found = facts(run, f"hostile --model {hostile}")
    assert ("suspend" in found, found["family"]) == (False, json.dumps(words))
    assert run("validate").exit_code == 0
    save(tmp_path / "worse", CONFIG | {"architectures": [words]})
    result = run("new", "hero", "worse", "--model", str(tmp_path / "worse"))
    assert (result.exit_code, "names the architecture" in result.stderr) == (1, True)


def test_a_new_hero_is_told_that_a_longer_document_is_refused_and_not_that_it_is_cut(
    run, lab: Path, model: Path
) -> None:
    run("new", "hero", "mine", "--model", str(model))
    told = (lab / "specs/heroes/mine.yaml").read_text()
    assert " # tokens; a longer document is refused, by its row\n" in told


def test_a_model_without_a_tokenizer_is_refused_at_once(run, lab: Path, model: Path) -> None:
    (model / "tokenizer.json").unlink()
    refused = run("new", "hero", "mine", "--model", str(model))
    assert refused.exit_code == 5
    assert "it has no tokenizer that can be used" in refused.stderr
    assert "expected tokenizer.json (or tokenizer.model, or vocab.json)" in refused.stderr
    assert not (lab / "specs/heroes/mine.yaml").exists()
