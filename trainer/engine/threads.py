"""How many CPU threads one operation uses, where nobody says.

torch takes every core. The matrices of a tiny model are too small for many threads: they wait for each other,
and the longer the more other work the machine has. On a quiet machine of two cores heroes of 1.3
million parameters train 1.7 x as fast with two threads as with one.
"""

import os
from collections.abc import Mapping

import torch

PARAMETERS_PER_THREAD = 500_000
_SAID_BY = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def use_threads(asked: int | None, num_parameters: int, environment: Mapping[str, str] = os.environ) -> None:
    """Compute with as many threads as the request asks for, else as the environment says, else as fit."""
    if asked is not None:
        torch.set_num_threads(asked)
    elif not any(environment.get(name) for name in _SAID_BY):
        torch.set_num_threads(fitting_threads(num_parameters, torch.get_num_threads()))


def fitting_threads(num_parameters: int, at_most: int) -> int:
    """Return one thread for each PARAMETERS_PER_THREAD, at least one and at most so many."""
    return max(1, min(at_most, num_parameters // PARAMETERS_PER_THREAD))
