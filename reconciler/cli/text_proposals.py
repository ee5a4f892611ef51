"""Branches that wait to be merged, as text: where each stands, what it would do, what is against it. Pure."""

from shlex import quote
from typing import TYPE_CHECKING

from reconciler.cli.text_cost import cost_text, cost_without
from reconciler.cli.text_layout import INDENT, PLAIN, Paint, columns, folded_step, safe, theirs, wrapped
from reconciler.cli.text_plan import summary
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.forges.proposals import Proposal, Proposals

_MEANINGS = {"ready": "good", "nothing to do": "dim", "blocked": "bad", "mistakes": "bad", "conflicts": "bad"}


def proposals_text(found: "Proposals", width: int, paint: Paint = PLAIN) -> str:
    """Return a paragraph for each branch, and what to do next."""
    if not found.items:
        return f"No branch is ahead of {safe(found.base)}."
    parts = [_proposal(item, width, paint) for item in found.items]
    if found.num_left_out:
        parts.append(f"And {count(found.num_left_out, 'older branch')}.")
    first = f"{found.base.partition('@')[0]}..{found.items[0].branch}"
    see = f"See one whole:  reconcile plan {quote(safe(first))}"
    parts.append("\n".join(folded_step(see, width)))
    return "\n\n".join(parts)


def _proposal(item: "Proposal", width: int, paint: Paint) -> str:
    behind = f", {count(item.behind, 'commit')} behind" if item.behind else ""
    where = f"{item.commit[:7]}, {count(item.ahead, 'commit')} ahead{behind}"
    lines = [
        *_head(safe(item.branch), where, width, paint),
        *wrapped(
            f"{theirs(safe(item.subject))} ({theirs(safe(item.author))}, {item.committed_at[:10]})",
            width - len(INDENT),
        ),
        *_judgement(item, width, paint),
    ]
    if item.plan is not None and item.plan.changes:
        lines += wrapped(summary(item.plan), width - len(INDENT), at=", ")
        costs = filter(None, (cost_text(item.plan), cost_without(item.plan)))
        lines += [line for cost in costs for line in wrapped(cost, width - len(INDENT), at=", ")]
    return "\n".join([lines[0], *(f"{INDENT}{line}" for line in lines[1:])])


def _head(branch: str, where: str, width: int, paint: Paint) -> list[str]:
    """Return the branch, and where it stands beside it or, where that has no room, below."""
    if columns(f"{branch}   {where}") <= width:
        return [f"{paint(branch, 'strong')}   {where}"]
    return [paint(branch, "strong"), *wrapped(where, width - len(INDENT), at=", ")]


def _judgement(item: "Proposal", width: int, paint: Paint) -> list[str]:
    word = paint(item.state, _MEANINGS.get(item.state, "warn"))
    if not item.reason:
        return [word]
    first, *rest = wrapped(f"{item.state}: {theirs(safe(item.reason))}", width - len(INDENT))
    return [f"{word}{first.removeprefix(item.state)}", *rest]
