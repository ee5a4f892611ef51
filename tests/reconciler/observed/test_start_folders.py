"""What a campaign would begin with that is to begin with a folder: the newest whole checkpoint of it."""

import json
import struct
from pathlib import Path

import pytest

from reconciler.observed.start_folders import observe_start_folder


def save(folder: Path, step: int, *, loss: float = 0.5) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    config = {"architectures": ["Qwen3ForCausalLM"], "vocab_size": 320, "hidden_size": 8}
    (path / "config.json").write_text(json.dumps(config))
    state = {"global_step": step, "log_history": [{"loss": 2.0}, {"loss": loss}, {"eval_loss": 0.25}]}
    (path / "trainer_state.json").write_text(json.dumps(state))
    return path


def test_of_a_run_the_newest_whole_checkpoint_is_taken_and_newer_ones_are_named(tmp_path: Path) -> None:
    for step in (5, 90, 100, 900):
        save(tmp_path, step)
    (tmp_path / "checkpoint-900" / "model.safetensors").write_bytes(b"\0" * 12)
    (tmp_path / "checkpoint-100" / "trainer_state.json").unlink()
    (tmp_path / "checkpoint-100" / "optimizer.pt").write_bytes(b"PK")

    found = observe_start_folder(str(tmp_path))

    assert (found.folder, found.step, found.problem) == (str(tmp_path / "checkpoint-90"), 90, None)
    assert [text.partition(":")[0] for text in found.passed_over] == ["checkpoint-900", "checkpoint-100"]


def test_what_it_says_of_itself_is_known_and_nothing_else(tmp_path: Path) -> None:
    path = save(tmp_path, 90)
    for name in ("notes.txt", ".hidden", "training_args.bin", "modeling_own.py"):
        (path / name).write_bytes(b"PK" + b"\0" * 30 + b"PK\x05\x06" + bytes(18))

    found = observe_start_folder(str(path))

    assert found.files == ("config.json", "model.safetensors", "notes.txt", "trainer_state.json")
    assert found.unused == (".hidden", "modeling_own.py", "training_args.bin")
    assert (found.train_loss, found.val_loss, found.learning_rate) == (0.5, 0.25, None)
    assert found.model is not None
    assert (found.model.architecture, found.model.vocab_size) == ("Qwen3ForCausalLM", 320)
    assert found.model.sizes == {"hidden_size": 8}
    assert found.size_bytes == sum((path / name).stat().st_size for name in found.files)


def test_weights_without_a_step_begin_at_0(tmp_path: Path) -> None:
    path = save(tmp_path, 90)
    (path / "trainer_state.json").unlink()
    found = observe_start_folder(str(path.rename(tmp_path / "final")))
    assert (found.producer, found.step) == ("safetensors", 0)


def assert_refused(path: Path, expected: str, hint: str) -> None:
    found = observe_start_folder(str(path))
    assert found.folder is None
    assert expected in str(found.problem)
    assert hint in found.hint


def test_a_folder_without_a_checkpoint_says_what_is_expected(tmp_path: Path) -> None:
    assert_refused(tmp_path, "there is no checkpoint in it; expected a folder with weights", "")
    assert_refused(tmp_path / "nowhere", "No such file", "name a folder that can be read")


def test_a_run_without_a_whole_checkpoint_says_why_of_the_newest(tmp_path: Path) -> None:
    for step in (5, 9):
        (save(tmp_path, step) / "model.safetensors").write_bytes(b"")
    assert_refused(
        tmp_path, "(checkpoint-9: a checkpoint of the Hugging Face Trainer that is not whole: model", "whole"
    )


def test_a_loss_that_is_not_finite_is_none_to_begin_with(tmp_path: Path) -> None:
    assert_refused(
        save(tmp_path, 5, loss=float("nan")), "its last loss is not finite", "name one before that"
    )


@pytest.mark.parametrize(
    ("names", "expected", "hint"),
    [
        (("adapter_model.safetensors", "adapter_config.json"), "holds an adapter and no whole", "merge it"),
        (("pytorch_model.bin", "config.json"), "as pickles, which are never loaded", "safetensors"),
    ],
)
def test_weights_that_cannot_be_loaded_here_are_refused_with_a_way_out(
    tmp_path: Path, names: tuple[str, ...], expected: str, hint: str
) -> None:
    whole = save(tmp_path, 5)
    weights = (whole / "model.safetensors").read_bytes()
    (whole / "model.safetensors").rename(whole / names[0])
    (whole / "config.json").rename(whole / names[1])
    if names[0].endswith(".bin"):
        (whole / names[0]).write_bytes(b"PK" + weights + b"PK\x05\x06" + bytes(18))
    assert_refused(whole, expected, hint)


def test_pickles_are_refused_as_pickles_though_the_folder_is_not_whole_either(tmp_path: Path) -> None:
    whole = save(tmp_path, 5)
    for name in ("model.safetensors", "trainer_state.json"):
        (whole / name).unlink()
    (whole / "pytorch_model.bin").write_bytes(b"PK" + bytes(9) + b"PK\x05\x06" + bytes(18))
    assert_refused(whole, "as pickles, which are never loaded", "safetensors")


@pytest.mark.parametrize("name", [".", "model-q4.gguf"], ids=["its folder", "the file"])
def test_gguf_is_refused_by_name_with_what_to_bring(tmp_path: Path, name: str) -> None:
    (tmp_path / "model-q4.gguf").write_bytes(b"GGUF")
    assert_refused(tmp_path / name, "is a GGUF file, made for answering", "the folder of safetensors weights")


@pytest.mark.parametrize("said", [5, ["a"], "a", None])
def test_an_index_whose_map_is_none_is_not_whole_and_no_fault_of_ours(tmp_path: Path, said: object) -> None:
    whole = save(tmp_path, 5)
    (whole / "model.safetensors").rename(whole / "model-00001-of-00001.safetensors")
    (whole / "model.safetensors.index.json").write_text(json.dumps({"weight_map": said}))
    assert_refused(
        whole, "model.safetensors.index.json has a weight_map that is none", "copy it again, whole"
    )


def test_a_checkpoint_of_a_realm_may_lie_under_any_name(tmp_path: Path, save_checkpoint) -> None:
    path = save_checkpoint(tmp_path, 500, name="the best of January")

    found = observe_start_folder(str(path))

    assert (found.problem, found.folder, found.step) == (None, str(path), 500)
    assert (found.producer, found.files) == ("realm", ("cursor.json", "model.safetensors"))


def test_a_name_that_says_another_step_is_refused_with_both(tmp_path: Path, save_checkpoint) -> None:
    path = save_checkpoint(tmp_path, 500, name="checkpoint-900")
    assert_refused(path, "the manifest says step 500, the folder's name says 900", "copy it again, whole")


@pytest.mark.parametrize("lacks", [None, "measures"], ids=["with all that is known", "with other fields"])
def test_one_of_a_newer_software_is_not_called_torn(
    tmp_path: Path, save_checkpoint, lacks: str | None
) -> None:
    path = save_checkpoint(tmp_path, 500)
    manifest = path / "manifest.json"
    said = json.loads(manifest.read_bytes()) | {"schema_version": 99}
    said.pop(lacks, None)
    manifest.chmod(0o600)
    manifest.write_text(json.dumps(said))
    newer = "schema version 99 is newer than 1, which this software knows; upgrade it"
    assert_refused(path, f"manifest.json: {newer}", "or name another checkpoint")


def test_a_checkpoint_of_a_realm_that_is_torn_is_refused_under_any_name(
    tmp_path: Path, save_checkpoint
) -> None:
    path = save_checkpoint(tmp_path, 500, name="old-sums")
    (path / "model.safetensors").write_bytes(b"torn")
    assert_refused(path, "model.safetensors has 4 bytes, the manifest says 63", "copy it again, whole")
