"""What one update cost beside its time: memory, filling, the share of the device's arithmetic."""

from collections.abc import Sequence
from pathlib import Path

import torch

from state.contract.memory_need import Shape
from trainer.data.tensors import Batch
from trainer.engine.attention import Documents, uses_rows

PEAK_FLOPS = {
    "NVIDIA H200": 989e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA L4": 121e12,
    "NVIDIA A10": 125e12,
}
"""Dense bf16 operations a second by the driver's name of the device (NVIDIA's data sheets, no sparsity)."""


def peak_memory_bytes(device: torch.device) -> int:
    """Return the most memory taken so far: tensors of a GPU, else the whole process (VmHWM, proc(5))."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return _of_this_process("VmHWM:")


def process_bytes() -> int:
    """Return what this process takes of the host's memory now (VmRSS, proc(5))."""
    return _of_this_process("VmRSS:")


def _of_this_process(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def fill(batches: Sequence[Batch]) -> float:
    """Return the share of computed places that hold a token: 1, but for attention in rows of equal length."""
    places = tokens = 0
    for batch in batches:
        number = sum(batch.lengths)
        documents = Documents(batch.lengths, batch.bounds)
        groups = documents.groups if uses_rows(batch.ids_1T.device) else ()
        places += sum(group.num_documents * group.longest for group in groups) if groups else number
        tokens += number
    return tokens / places


def model_flops(shape: Shape, lengths: Sequence[int], num_trained: int) -> int:
    """Return the floating point operations of one update.

    6 for each token and parameter of the layers, 6 for each trained token and parameter of the head, and
    causal attention (Kaplan et al., arXiv 2001.08361, section 2.1, with half of the attention's square). What
    is computed twice to save memory is not counted twice.
    """
    layers = 6 * shape.num_body * sum(lengths)
    head = 6 * shape.vocab_size * shape.hidden_size * num_trained
    width = shape.num_attention_heads * shape.head_dim
    attention = 6 * shape.num_hidden_layers * width * sum(length * length for length in lengths)
    return layers + head + attention


def utilization(flops: int, seconds: float, device_name: str | None) -> float | None:
    """Return the share of the device's peak that was used; None where its peak is not known, as for CPUs."""
    peak = PEAK_FLOPS.get(device_name or "")
    return None if peak is None else flops / seconds / peak
