"""The model's layers compiled, each for itself: fewer kernels, for minutes of compiling. Long runs on a GPU.

Attention stays as it is: how long the documents are changes with every micro-batch, and would be compiled
anew each time.
"""

from contextlib import AbstractContextManager
from typing import Any

import torch


def compile_layers(model: Any, device: torch.device, backend: str = "inductor") -> bool:
    """Compile each layer at its first use; return False where it would not pay: on a CPU nothing is done."""
    if not _pays_back(device):
        return False
    for layer in model.base_model.layers:
        layer.compile(backend=backend, dynamic=True)
    return True


def is_compiled(model: Any) -> bool:
    """Are the model's layers compiled?"""
    layers = getattr(model.base_model, "layers", ())
    return any(getattr(layer, "_compiled_call_impl", None) is not None for layer in layers)


def uncompiled() -> AbstractContextManager[None]:
    """Run the model as it is for a while: generation has other shapes with every token."""
    stance: AbstractContextManager[None] = torch.compiler.set_stance("force_eager")
    return stance


def _pays_back(device: torch.device) -> bool:
    return str(device.type) == "cuda"
