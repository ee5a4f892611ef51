"""`exit.json`: why the trainer left. Written last; a run that is gone without one was lost."""

from typing import Literal

import msgspec

from state.contract.numbers import Count

Reason = Literal["finished", "goal_reached", "stopped", "failed"]
FailureClass = Literal[
    "oom",
    "nan",  # a loss, a gradient or a held-out loss is not finite
    "data",
    "environment",
    "settings",  # the specs ask for what this model or this trainer does not have: they fail again alike
    "in_the_way",  # something lies where a checkpoint was to be saved; a person moves it away
    "hardware",  # the device failed: an ECC error, an illegal access, a device that is gone
    "stuck",  # it got no further: the watchdog ended it
    "preempted",  # a signal asked it to leave that the reconciler did not send; `reason` is stopped
    "diverged",  # the loss jumps too often for the loss guard: the campaign goes back, with a lower rate
    "unknown",
]

UNWRITTEN_EVENT, UNWRITTEN_KEY = "no exit.json", "record"
"""The line of the run's log that has the record, as JSON behind `record=`, where no file could be written."""


class RunExit(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    reason: Reason
    message: str
    """One sentence for people."""
    failure_class: FailureClass | None = None
    quest_id: str | None = None
    """The quest that was being trained, if any."""
    step: Count
    last_checkpoint_step: Count | None
    healthy_step: Count | None = None
    """Of a run that diverged: the newest checkpoint from before the trouble; None: not known."""
    exited_at: str
