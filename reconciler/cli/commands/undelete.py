"""`undelete`: a request to the loop to take a dropped checkpoint back."""

import click

from reconciler.cli.requesting import Wishes, answer, request_options
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile undelete tiny-adamw/campaign-001@500", "Take a checkpoint back out of the trash."),
        ("reconcile undelete tiny-adamw/campaign-001", "Take back a campaign that was deleted whole."),
        ("reconcile undelete tiny-adamw/campaign-001@500 --wait", "Return when it lies in its place again."),
    ],
)
@click.argument("checkpoint")
@request_options()
def command(session: Session, wishes: Wishes, checkpoint: str) -> None:
    """Take CHECKPOINT (<hero>/<campaign>@<step>) back out of the trash; from then on no rule drops it.

    One that was deleted for good is brought back from an export or another copy, where there is one.
    <hero>/<campaign> takes back a campaign deleted whole; take `state: deleted` out of its spec, too.
    """
    from reconciler.app.asking.undelete import undelete

    layout, asked = undelete(session.environment(), session.options(), checkpoint, wishes.why)
    answer(session, layout, asked, wishes, f"Asked to take {asked.campaign} back")
