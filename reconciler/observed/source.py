"""What the last look at a remote source found; None where the specs are local."""

from pathlib import Path

from state.contract.files import ContractError, read
from state.source_status import SourceStatus


def observe_source(file: Path) -> SourceStatus | None:
    """Return what `control/fetched.json` says; one that is damaged says nothing, until the next look."""
    try:
        return read(file, SourceStatus)
    except (OSError, ContractError):
        return None
