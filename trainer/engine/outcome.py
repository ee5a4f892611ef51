"""How a run ended, as a record."""

import msgspec

from state.contract.exit import FailureClass, Reason


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run is over."""

    reason: Reason
    message: str
    """One sentence for people."""
    failure_class: FailureClass | None = None
    healthy_step: int | None = None
    """Of a run that diverged: until here its loss had not jumped."""
