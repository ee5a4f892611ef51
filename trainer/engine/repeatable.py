"""Kernels that give the same bits each time, on a GPU too, so that a resumed run is the undisturbed one.

Some of CUDA's kernels sum in the order in which threads arrive, the backward pass of attention among them.
torch has others, a little slower, and refuses by name an operation that has none. cuBLAS needs working space
of a fixed size, named before its first product. A CPU gives the same bits with as many threads as before.

The bits are those of one kind of card and one version of torch and driver; another may round otherwise.
"""

import os

import torch

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def use_repeatable_kernels(device: torch.device) -> None:
    """Compute with such kernels alone from now on; to be said before anything is computed on the device."""
    if device.type != "cuda":
        return
    os.environ.setdefault(WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(True)  # noqa: FBT003 - torch's own
    torch.utils.deterministic.fill_uninitialized_memory = False  # a pass over each new tensor, for nothing
