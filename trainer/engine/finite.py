"""Are weights that somebody else made finite? Found before the first update: later the rows are blamed."""

from pathlib import Path
from typing import Any

import torch

from state.amounts import count
from trainer.engine.failures import SettingsError
from trainer.engine.model import weight_tensors

_LOOKED_AT = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def check_finite(model: Any, folder: Path) -> Any:
    """Return the model, every weight of it found to be finite; `folder` is where they came from.

    Each tensor is read once, and nothing is made of it: a NaN is its least and its largest number.

    Raises:
        SettingsError: names the first tensor with a NaN or an infinite number.
    """
    wrong = [name for name, tensor in weight_tensors(model).items() if not _is_finite(tensor)]
    if wrong:
        raise SettingsError(
            f"{folder}: {count(len(wrong), 'tensor')} of the model not finite (NaN or infinite), for example "
            f"{wrong[0]!r}: no rows can be trained on these weights. Bring a whole copy of the model there"
        )
    return model


def _is_finite(tensor: torch.Tensor) -> bool:
    if tensor.dtype not in _LOOKED_AT or not tensor.numel():
        return True
    return all(torch.stack(torch.aminmax(tensor)).isfinite().tolist())
