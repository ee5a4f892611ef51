"""What an inspection found in words, the same on both sides. Pure."""

from collections.abc import Iterator

from state.amounts import count
from state.contract.inspection import DataFinding, Inspection, TokenCounts


def rows_text(found: Inspection) -> str:
    """Return `7,473 rows, dataset gsm8k, 3 invalid left out`."""
    if found.contract is None:
        return "cannot be read as rows"
    parts = [count(found.num_rows, "row"), found.contract]
    parts += [f"{found.num_left_out:,} invalid left out"] if found.num_left_out else []
    parts += [f"{found.num_held_out:,} held out"] if found.num_held_out else []
    return ", ".join(parts)


def tokens_text(counts: TokenCounts) -> str:
    """Return tokens, trained share, the longest row, updates of an epoch and how full its batches are."""
    return (
        f"{count(counts.num_tokens, 'token')}, {counts.trained_share:.0%} trained; "
        f"longest {counts.longest:,} of {counts.max_length:,}; "
        f"{epoch_text(counts)}"
    )


def epoch_text(counts: TokenCounts) -> str:
    """Return the updates of an epoch and, where that is known, how full its batches are."""
    full = f", batches {counts.fill:.0%} full" if counts.fill is not None else ""
    return f"{count(counts.updates, 'update')} an epoch{full}"


def finding_text(finding: DataFinding) -> str:
    """Return `warning: duplicate: row 5: the same as row 2; expected ...`."""
    return f"{'error' if finding.is_error else 'warning'}: {finding.check}: {finding}"


def not_shown(found: Inspection) -> Iterator[tuple[str, int]]:
    """Yield each check of which only the first findings are shown, with the number of the others."""
    for check, number in found.counts.items():
        shown = sum(finding.check == check for finding in found.findings)
        if number > shown:
            yield check, number - shown
