"""`approve`: a person's word that a plan may destroy what it says."""

import click

from reconciler.cli.requesting import Wishes, answer, request_options
from reconciler.cli.session import Session, Verb


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
    from state.amounts import count, size

    layout, awaiting, asked = approve(session.environment(), session.options(), digest, wishes.why)
    what = f"{count(awaiting.checkpoints, 'checkpoint')}, {size(awaiting.size_bytes)}"
    answer(session, layout, asked, wishes, f"Approved that {what} are dropped")
