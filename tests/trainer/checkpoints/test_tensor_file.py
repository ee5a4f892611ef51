"""Tensor files: the library's bytes without the library's copy."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file

from trainer.checkpoints.errors import CheckpointError
from trainer.checkpoints.tensor_file import bytes_of, layout_of, write_tensors


def some_tensors() -> dict[str, "torch.Tensor"]:
    torch.manual_seed(0)
    return {
        "layers.10/weight": torch.randn(3, 5),
        "layers.9/weight": torch.randn(5, 3).T,
        "a half": torch.randn(7).to(torch.bfloat16),
        "step": torch.tensor(3.0),
        "names/ä": torch.randn(2, 2, dtype=torch.float64),
        "count": torch.tensor([1, 2, 3]),
        "mask": torch.tensor([True, False, True]),
        "bytes": torch.tensor([1, 255], dtype=torch.uint8),
        "nothing": torch.empty(0, 4),
        "sixteen": torch.randn(3).to(torch.float16),
        "tiny": torch.randn(4).to(torch.float8_e4m3fn),
    }


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}], ids=["plain", "with metadata"])
def test_a_file_is_byte_for_byte_the_one_of_the_library(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    tensors = some_tensors()
    save_file({k: t.contiguous() for k, t in tensors.items()}, tmp_path / "theirs", metadata=metadata)
    layout = layout_of(tensors, metadata)

    write_tensors(tmp_path / "ours", layout, (bytes_of(tensors[span.name]) for span in layout.spans))

    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    for name, tensor in load_file(tmp_path / "ours").items():
        assert torch.equal(tensor.to(torch.float64), tensors[name].to(torch.float64)), name


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "ours").write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        write_tensors(tmp_path / "ours", layout_of({}), ())
    assert (tmp_path / "ours").read_bytes() == b"theirs"


def test_a_type_that_the_format_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match=r"phase: a tensor of torch\.complex64 cannot be written"):
        layout_of({"phase": torch.zeros(2, dtype=torch.complex64)})
