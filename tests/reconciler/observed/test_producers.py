"""Folders of other software: whole or not, by a positive test of each producer; never ours either way."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observed.checkpoint_cache import CheckpointCache
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.records import ForeignFolder

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456789\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "root" / "checkpoints"
    found.mkdir(parents=True)
    return found


@pytest.fixture
def found(tmp_path: Path, folder: Path) -> Callable[[], ForeignFolder]:
    def look() -> ForeignFolder:
        facts = observe_checkpoints(folder, tmp_path / "root")
        assert facts.complete == ()
        (one,) = facts.foreign
        return one

    return look


def tensors(path: Path, *names: str) -> None:
    """Write a safetensors file of these tensors, four bytes each."""
    header = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * place, 4 * place + 4]}
        for place, name in enumerate(names)
    }
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 4 * len(names))


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02." + bytes(100))


def plain(path: Path) -> None:
    path.mkdir()
    (path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    tensors(path / "model.safetensors", "a", "b")


def sharded(path: Path) -> None:
    path.mkdir()
    (path / "config.json").write_text("{}")
    tensors(path / "model-00001-of-00002.safetensors", "a")
    tensors(path / "model-00002-of-00002.safetensors", "b")
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))


def hugging_face(path: Path, step: int = 500) -> None:
    plain(path)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
        archive(path / name)
    log = '[{"loss": 0.5, "step": 490}, {"loss": NaN, "step": 500}]'
    (path / "trainer_state.json").write_text(f'{{"global_step": {step}, "log_history": {log}}}')


def drop(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).unlink()


def cut(name: str, num_bytes: int = 3) -> Callable[[Path], None]:
    return lambda path: (path / name).write_bytes((path / name).read_bytes()[:-num_bytes])


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda path: (path / name).write_bytes(content)


WHOLE = {
    "plain safetensors": (plain, "safetensors", "a folder of safetensors weights, whole"),
    "sharded safetensors": (sharded, "safetensors", "a folder of safetensors weights, whole"),
    "Hugging Face Trainer": (
        hugging_face,
        "hugging-face-trainer",
        "a checkpoint of the Hugging Face Trainer (step 500), whole",
    ),
}


@pytest.mark.parametrize(("make", "producer", "says"), WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_folder_of_other_software_is_known_by_name_and_foreign_still(
    folder, found, make, producer, says
) -> None:
    make(folder / "checkpoint-500")
    one = found()
    assert (one.producer, one.is_whole) == (producer, True)
    assert one.reason == f"{says}, and not taken in"


NOT_WHOLE = {
    "weights torn": (plain, cut("model.safetensors"), "bytes, its header says 172: a torn copy"),
    "weights are a pointer": (plain, write("model.safetensors", POINTER), "model.safetensors is a Git LFS pointer"),
    "weights empty": (plain, write("model.safetensors", b""), "model.safetensors is empty"),
    "weights zeroed": (plain, write("model.safetensors", bytes(200)), "model.safetensors has 200 bytes, fewer than"),
    "header no JSON": (plain, write("model.safetensors", b"\x04" + bytes(7) + b"x" * 40), "no safetensors header"),
    "header lies": (plain, write("model.safetensors", b"\xff" * 64), "fewer than its header"),
    "no config": (plain, drop("config.json"), "config.json is missing"),
    "config torn": (plain, write("config.json", b'{"arch'), "config.json is no JSON"),
    "shard missing": (sharded, drop("model-00002-of-00002.safetensors"),
                      "model-00002-of-00002.safetensors is missing, which model.safetensors.index.json names"),
    "index missing": (sharded, drop("model.safetensors.index.json"), "model.safetensors.index.json is missing"),
    "index is a pointer": (sharded, write("model.safetensors.index.json", POINTER), "index.json is a Git LFS pointer"),
    "shard of another": (sharded, lambda path: tensors(path / "model-00002-of-00002.safetensors", "c"),
                         "model-00002-of-00002.safetensors has no tensor b, which"),
    "no state": (hugging_face, drop("trainer_state.json"), "trainer_state.json is missing, which is written last"),
    "state torn": (hugging_face, write("trainer_state.json", b'{"global_step": 50'), "trainer_state.json is no JSON"),
    "state deep": (hugging_face, write("trainer_state.json", b"[" * 100_000), "trainer_state.json is no JSON"),
    "state of another step": (hugging_face, write("trainer_state.json", b'{"global_step": 400}'),
                              "trainer_state.json says step 400, the folder's name says 500"),
    "no step": (hugging_face, write("trainer_state.json", b"{}"), "trainer_state.json has no global_step"),
    "optimizer torn": (hugging_face, cut("optimizer.pt"), "optimizer.pt has no end of a torch.save archive"),
    "no scheduler": (hugging_face, drop("scheduler.pt"), "scheduler.pt is missing beside the rest"),
    "no generators": (hugging_face, drop("rng_state.pth"), "rng_state.pth is missing beside the rest"),
    "no weights": (hugging_face, drop("model.safetensors"), "there are no weights: expected model.safetensors"),
    "ours, unfinished": (plain, write("trainer_state.json", b'{"step": 500, "locked": {}}'),
                         "a checkpoint of this software that is not whole: there is no manifest.json"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "damage", "says"), NOT_WHOLE.values(), ids=NOT_WHOLE.keys())
def test_a_pointer_a_torn_or_a_half_copied_folder_is_named_with_what_it_lacks(
    folder, found, make, damage, says
) -> None:
    make(folder / "checkpoint-500")
    damage(folder / "checkpoint-500")
    one = found()
    assert not one.is_whole
    assert one.producer is not None
    assert says in one.reason


def test_a_trainers_weights_without_its_optimizer_are_whole(folder, found) -> None:
    hugging_face(folder / "checkpoint-500")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        (folder / "checkpoint-500" / name).unlink()
    assert found().is_whole


def test_what_nobody_knows_keeps_its_plain_reason(folder, found) -> None:
    (folder / "checkpoint-5").mkdir()
    (folder / "checkpoint-5" / "notes.txt").write_text("x")
    one = found()
    assert (one.producer, one.is_whole) == (None, False)
    assert one.reason == "there is no manifest.json: not saved to the end, or made by other software"


def test_a_folder_whose_name_is_not_understood_says_both(folder, found) -> None:
    plain(folder / "best")
    assert found().reason.startswith(
        "the name is not understood; expected checkpoint-<step>; a folder of safe"
    )


def test_within_a_process_a_folder_is_read_again_only_once_it_was_touched(folder, tmp_path) -> None:
    hugging_face(folder / "checkpoint-500")
    cache = CheckpointCache()

    def look() -> ForeignFolder:
        return observe_checkpoints(folder, tmp_path / "root", cache=cache).foreign[0]

    first = look()
    assert look() is first
    cut("model.safetensors")(folder / "checkpoint-500")
    assert not look().is_whole


@pytest.fixture(scope="module")
def distributed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What PyTorch itself writes; as if three ranks had, each file is larger than a header."""
    checkpoint = pytest.importorskip("torch.distributed.checkpoint")
    import torch

    path = tmp_path_factory.mktemp("dcp") / "saved"
    checkpoint.save({"a": torch.zeros(64, 64), "step": 3}, checkpoint_id=path, no_dist=True)
    return path


@pytest.mark.filterwarnings("ignore")
def test_a_distributed_checkpoint_is_whole_when_all_that_its_metadata_names_is_there(
    folder, found, distributed
) -> None:
    import shutil

    path = shutil.copytree(distributed, folder / "checkpoint-3")
    assert (found().producer, found().is_whole) == ("pytorch-dcp", True)
    cut("__0_0.distcp", 100)(path)
    assert "__0_0.distcp has" in found().reason
    assert "a torn copy" in found().reason
    (path / "__0_0.distcp").unlink()
    assert found().reason.endswith("__0_0.distcp is missing, which .metadata names")
    shutil.copy(distributed / "__0_0.distcp", path)
    (path / ".metadata").write_bytes(b"\x80\x04not a pickle")
    assert found().reason.endswith(".metadata is no pickle that can be understood: torn, or another format")
    (path / ".metadata").unlink()
    assert found().reason.endswith(".metadata is missing, which is written last: not saved to the end")


def test_reading_metadata_runs_nothing_of_it(folder, found, tmp_path) -> None:
    """The pickle below would make a file if anybody unpickled it."""
    canary = tmp_path / "canary"
    path = folder / "checkpoint-3"
    path.mkdir()
    (path / ".metadata").write_bytes(b"cbuiltins\nopen\n(V" + str(canary).encode() + b"\nVw\ntR.")
    assert "names no file" in found().reason
    assert not canary.exists()
