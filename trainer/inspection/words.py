"""An inspection as text. Pure."""

from collections.abc import Iterator

from state.amounts import count
from state.contract.inspection import DataFinding, Inspection, TokenCounts


def inspection_text(name: str, found: Inspection) -> str:
    """Return what was found in a file, a line each."""
    return "\n".join(_lines(name, found))


def _lines(name: str, found: Inspection) -> Iterator[str]:
    yield f"{name}: {_rows(found)}"
    if found.tokens is not None:
        yield f"  {_tokens(found.tokens)}"
    for finding in found.findings:
        yield f"  {_finding(finding)}"
    shown: dict[str, int] = {}
    for finding in found.findings:
        shown[finding.check] = shown.get(finding.check, 0) + 1
    for check, number in found.counts.items():
        if number > shown[check]:
            yield f"  {check}: {number - shown[check]:,} more"


def _rows(found: Inspection) -> str:
    if found.contract is None:
        return "cannot be read as rows"
    parts = [count(found.num_rows, "row"), found.contract]
    parts += [f"{found.num_left_out:,} invalid left out"] if found.num_left_out else []
    return ", ".join(parts)


def _tokens(counts: TokenCounts) -> str:
    return (
        f"{count(counts.num_tokens, 'token')}, {counts.trained_share:.0%} trained; "
        f"longest {counts.longest:,} of {counts.max_length:,}; "
        f"{count(counts.updates, 'update')} an epoch, fill {counts.fill:.2f}"
    )


def _finding(finding: DataFinding) -> str:
    kind = "error" if finding.is_error else "warning"
    return f"{kind}: {finding.check}: {finding}"
