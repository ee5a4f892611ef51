"""Why a run fails: one error class for each class that the reconciler reacts to.

TrainingError            unknown
├── DataError            data         a quest that cannot be trained on
├── NonFiniteLossError   nan          the loss or the gradient is not a number
├── DivergedError        diverged     the loss jumps more often than the loss guard may leave out
├── OutOfMemoryError     oom          the device or the host has no memory left
├── InTheWayError        in_the_way   something lies where a checkpoint is to be saved
├── HardwareError        hardware     the device failed
├── SettingsError        settings     the specs ask for what the model or this trainer does not have
├── StuckError           stuck        it got no further: the watchdog ended it
└── EnvironmentFailure   environment  the machine or the request is not as it must be
"""

import errno

from state.contract.exit import FailureClass
from trainer.engine.hardware import is_of_the_device


class TrainingError(Exception):
    """A run that cannot go on; the message is one sentence for people."""

    failure_class: FailureClass = "unknown"
    is_state_sound = True
    """May what was learnt until now still be saved?"""


class DataError(TrainingError):
    """A quest that cannot be trained on."""

    failure_class: FailureClass = "data"


class NonFiniteLossError(TrainingError):
    """A loss or gradient that is not a number; the update was not applied."""

    failure_class: FailureClass = "nan"
    is_state_sound = False


class DivergedError(TrainingError):
    """More updates had to be left out than the loss guard may leave out."""

    failure_class: FailureClass = "diverged"
    is_state_sound = False

    def __init__(self, message: str, *, healthy_step: int) -> None:
        super().__init__(message)
        self.healthy_step = healthy_step


class OutOfMemoryError(TrainingError):
    """No memory left on the device or the host."""

    failure_class: FailureClass = "oom"
    is_state_sound = False


class InTheWayError(TrainingError):
    """Something that is not ours lies where a checkpoint is to be saved."""

    failure_class: FailureClass = "in_the_way"
    is_state_sound = False


class HardwareError(TrainingError):
    """The device failed; what is in its memory cannot be trusted."""

    failure_class: FailureClass = "hardware"
    is_state_sound = False


class SettingsError(TrainingError):
    """What the specs ask for and the model (finite weights, too) or this trainer does not have."""

    failure_class: FailureClass = "settings"


class StuckError(TrainingError):
    """The run got no further."""

    failure_class: FailureClass = "stuck"
    is_state_sound = False


class EnvironmentFailure(TrainingError):
    """The machine, the request or the files around the run are not as they must be."""

    failure_class: FailureClass = "environment"
    is_state_sound = False


def translated(error: BaseException) -> TrainingError:
    """Return the failure that an exception stands for."""
    match error:
        case TrainingError():
            return error
        case MemoryError():
            return OutOfMemoryError("the host has no memory left; a smaller batch_size needs less")
        case OSError(errno=errno.ENOSPC):
            return EnvironmentFailure(f"no space left on the device: {error}")
        case OSError():
            return EnvironmentFailure(f"the operating system refused: {error}")
    return _of_the_device(error) or TrainingError(f"{type(error).__name__}: {_first_line(error)}")


def _of_the_device(error: BaseException) -> TrainingError | None:
    if is_out_of_memory(error):
        return OutOfMemoryError(f"the device has no memory left: {_first_line(error)}")
    if is_of_the_device(error):
        return HardwareError(f"the device failed: {_first_line(error)}")
    return None


_NO_MEMORY = ("can't allocate memory", "cublas_status_alloc_failed", "cuda error: out of memory")
"""As torch says of the host's memory, of cuBLAS's working space, and of what it does not allocate itself."""


def is_out_of_memory(error: BaseException) -> bool:
    """Does the device or the host have no memory left? torch has a class for some of that only."""
    is_of_torch = type(error).__name__ == "OutOfMemoryError" and not isinstance(error, TrainingError)
    words = str(error).lower()
    return is_of_torch or isinstance(error, MemoryError) or any(one in words for one in _NO_MEMORY)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["no message"])[0]
