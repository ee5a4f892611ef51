"""What a checkpoint keeps beside the weights: optimizer state and random generators, without pickle.

Tensors go to safetensors as `<optimizer>/<parameter>/<key>`, everything else to `trainer_state.json`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from state.contract.locked import Locked
from trainer.checkpoints.errors import CheckpointError

OPTIMIZER_NAME = "optimizer.safetensors"
STATE_NAME = "trainer_state.json"
Optimizers = Mapping[str, torch.optim.Optimizer]
GroupNames = Mapping[str, tuple[tuple[str, ...], ...]]
"""Per optimizer and group the names of its parameters."""


class RandomState(msgspec.Struct, frozen=True, kw_only=True):
    """The generators of torch as hex digits."""

    cpu: str
    cuda: tuple[str, ...] = ()


class MemoryState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the device's memory."""

    granted_tokens: int
    """At once, by the settings at the time; under other settings the rest says nothing."""
    tokens: int
    """At once, after memory ran out with more."""


class GuardMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What the loss guard knows."""

    quest: str | None = None
    """The quest that was trained last."""
    losses: tuple[float, ...] = ()
    """Of its latest updates since another was trained, in nats per trained token, the newest last."""
    skipped: tuple[int, ...] = ()
    """Numbers of the updates that were left out lately."""


class TrainerState(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `trainer_state.json`."""

    schema_version: int = 1
    step: int
    locked: Locked
    optimizers: dict[str, tuple[tuple[str, ...], ...]]
    """Per optimizer and group the names of its parameters."""
    random: RandomState
    memory: MemoryState | None = None
    """None in a checkpoint of an older version."""
    guard: GuardMemory = GuardMemory()


def random_tensors() -> tuple[torch.Tensor, ...]:
    """Return the state of torch's generators: the CPU's, then each CUDA device's."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return (torch.get_rng_state(), *cuda)


def set_random(states: Sequence[torch.Tensor]) -> None:
    """Set torch's generators; those of devices that are not here are left out."""
    torch.set_rng_state(states[0])
    for index, state in enumerate(states[1 : 1 + torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, index)


def random_state() -> RandomState:
    """Return the state of torch's generators, to be saved."""
    cpu, *cuda = map(_to_hex, random_tensors())
    return RandomState(cpu=cpu, cuda=tuple(cuda))


def restore_random(state: RandomState) -> None:
    """Set torch's generators as they were saved."""
    set_random([_from_hex(text) for text in (state.cpu, *state.cuda)])


def group_names(optimizers: Optimizers) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the parameters' names of each optimizer, group by group."""
    return {
        name: tuple(tuple(group["param_names"]) for group in optimizer.param_groups)
        for name, optimizer in optimizers.items()
    }


def check_same_optimizers(saved: GroupNames, wanted: GroupNames, name: str) -> None:
    """Refuse the state of other optimizers than those of the run; `name` says which checkpoint has it.

    Raises:
        CheckpointError: names both.
    """
    if saved.keys() != wanted.keys():
        raise CheckpointError(
            f"{name}: {OPTIMIZER_NAME} is of {' and '.join(sorted(saved))}; the run updates by "
            f"{' and '.join(sorted(wanted))}. The weights can go on, with a fresh state (optimizer_state)"
        )


def optimizer_tensors(optimizers: Optimizers) -> dict[str, torch.Tensor]:
    """Return every tensor of the optimizers' state under a name of its own."""
    tensors: dict[str, torch.Tensor] = {}
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            for parameter_name, parameter in zip(group["param_names"], group["params"], strict=True):
                for key, value in optimizer.state[parameter].items():
                    tensors[f"{name}/{parameter_name}/{key}"] = value
    return tensors


def restore_optimizers(optimizers: Optimizers, tensors: Mapping[str, torch.Tensor], file: Path) -> None:
    """Give the optimizers their state back; rates, betas and decay stay as the config says now.

    Raises:
        CheckpointError: the state is of other parameters.
    """
    left = dict(tensors)
    for name, optimizer in optimizers.items():
        optimizer.load_state_dict(
            {
                "state": _state_by_index(name, optimizer, left),
                "param_groups": optimizer.state_dict()["param_groups"],
            }
        )
    if left:
        raise CheckpointError(f"{file}: {min(left)!r} belongs to no parameter of these optimizers")


def _state_by_index(
    name: str, optimizer: torch.optim.Optimizer, left: dict[str, torch.Tensor]
) -> dict[int, dict[str, Any]]:
    """Take this optimizer's tensors out of `left`, copied into memory of torch's own."""
    names = [parameter_name for group in optimizer.param_groups for parameter_name in group["param_names"]]
    of_parameter: dict[str, dict[str, Any]] = {}
    for key in [key for key in left if key.startswith(f"{name}/")]:
        parameter_name, _, state_key = key.removeprefix(f"{name}/").rpartition("/")
        if parameter_name in names:
            of_parameter.setdefault(parameter_name, {})[state_key] = left.pop(key).clone()
    return {index: of_parameter[n] for index, n in enumerate(names) if n in of_parameter}


def _to_hex(state: torch.Tensor) -> str:
    return bytes(state.tolist()).hex()


def _from_hex(text: str) -> torch.Tensor:
    return torch.tensor(list(bytes.fromhex(text)), dtype=torch.uint8)
