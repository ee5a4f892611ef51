"""`approve`: a person's word that a plan may destroy what it says."""

from typing import TYPE_CHECKING

import click

from reconciler.cli.requesting import Wishes, answer, request_options
from reconciler.cli.session import Session, Verb

if TYPE_CHECKING:
    from reconciler.plan.changes import Awaiting


@click.command(
    cls=Verb,
    examples=[
        ('reconcile approve 3f9a01bc2d44 --why "the old window was too large"', "As plan says it."),
        ("reconcile approve 3f9a01bc2d44 --wait", "Return when apply has taken it up."),
    ],
)
@click.argument("digest")
@request_options("Return when this very approval was handled.", why="The reason, kept with the approval.")
def command(session: Session, wishes: Wishes, digest: str) -> None:
    """Approve what a plan would destroy, by the DIGEST that it shows: exactly this, and once.

    What is dropped goes to the trash first; undelete takes it back until its time there is over.
    """
    from reconciler.app.asking.approve import approve

    layout, awaiting, asked = approve(session.environment(), session.options(), digest, wishes.why)
    answer(session, layout, asked, wishes, f"Approved that {_what(awaiting)}")


def _what(awaiting: "Awaiting") -> str:
    """Return what was approved: how many are dropped, how many keep their weights only, in bytes, too."""
    from state.amounts import count, size

    whole, demoted, parts = awaiting.checkpoints, awaiting.demoted, []
    if whole or not demoted:
        dropped = size(awaiting.size_bytes - awaiting.demoted_bytes)
        parts.append(f"{count(whole, 'checkpoint')}, {dropped} {'is' if whole == 1 else 'are'} dropped")
    if demoted:
        which = f"{demoted:,}" if parts else count(demoted, "checkpoint")
        keeps = "keeps its" if demoted == 1 else "keep their"
        goes = f"{size(awaiting.demoted_bytes)} of optimizer state goes"
        parts.append(f"{which} {keeps} weights only ({goes})")
    return " and ".join(parts)
