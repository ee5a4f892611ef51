"""An inspection as text. Pure."""

from collections.abc import Iterator

from state.contract.contents import MOST_FINDINGS
from state.contract.inspection import Inspection
from state.contract.inspection_words import finding_text, not_shown, rows_text, tokens_text


def inspection_text(name: str, found: Inspection) -> str:
    """Return what was found in a file, a line each."""
    return "\n".join(_lines(name, found))


def _lines(name: str, found: Inspection) -> Iterator[str]:
    yield f"{name}: {rows_text(found)}"
    if found.tokens is not None:
        yield f"  {tokens_text(found.tokens)}"
    for finding in found.findings:
        yield f"  {finding_text(finding)}"
    more = dict(not_shown(found))
    for check, number in more.items():
        yield f"  {check}: {number:,} more"
    most = max((found.counts[check] for check in more), default=0)
    if most:
        them = "them" if most <= MOST_FINDINGS else "more"
        yield f"  to name {them}: --findings {min(most, MOST_FINDINGS)}"
