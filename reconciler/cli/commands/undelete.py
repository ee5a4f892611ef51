"""`undelete`: a request to the loop to take a dropped checkpoint back."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile undelete tiny-adamw/campaign-001@500", "Take a checkpoint back out of the trash."),
        ("reconcile undelete tiny-adamw/campaign-001@500 --wait", "Return when it lies in its place again."),
    ],
)
@click.argument("checkpoint")
@click.option("--why", metavar="TEXT", help="The reason, kept with the request.")
@click.option("--wait", is_flag=True, help="Return when this very request was handled.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="With --wait: so long at most; exit code 6 after that.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
@click.pass_obj
def command(
    session: Session, checkpoint: str, why: str | None, wait: bool, timeout: float, as_json: bool
) -> None:
    """Take CHECKPOINT (<hero>/<campaign>@<step>) back out of the trash; from then on no rule drops it."""
    from reconciler.app.requests import wait_for
    from reconciler.app.undelete import undelete
    from reconciler.cli.text_layout import safe

    layout, asked = undelete(session.environment(), session.options(), checkpoint, why)
    if not asked.is_reconciler_running and not wait:
        session.note("No reconciler is running; the next `reconcile apply` handles it.")
    if wait:
        asked = wait_for(layout, asked, timeout)
    if as_json:
        session.say_json(asked)
    elif asked.handled_at is not None:
        session.say(safe(asked.result or "handled"))
    else:
        session.say(f"Asked to take {safe(asked.campaign)} back (request {asked.id}).")
