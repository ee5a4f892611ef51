"""`approve`: a person's word that a plan may destroy what it says."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ('reconcile approve 3f9a01bc2d44 --why "the old window was too large"', "As plan says it."),
        ("reconcile approve 3f9a01bc2d44 --wait", "Return when apply has taken it up."),
    ],
)
@click.argument("digest")
@click.option("--why", metavar="TEXT", help="The reason, kept with the approval.")
@click.option("--wait", is_flag=True, help="Return when this very approval was handled.")
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
    session: Session, digest: str, why: str | None, wait: bool, timeout: float, as_json: bool
) -> None:
    """Approve what a plan would destroy, by the DIGEST that it shows: exactly this, and once.

    What is dropped goes to the trash first; undelete takes it back until its time there is over.
    """
    from reconciler.app.approve import approve
    from reconciler.app.requests import wait_for
    from reconciler.cli.text_layout import count, safe, size

    layout, awaiting, asked = approve(session.environment(), session.options(), digest, why)
    if not asked.is_reconciler_running:
        session.note("No reconciler is running; the next `reconcile apply` handles it.")
    if wait:
        asked = wait_for(layout, asked, timeout)
    if as_json:
        session.say_json(asked)
        return
    what = f"{count(awaiting.checkpoints, 'checkpoint')}, {size(awaiting.size_bytes)}"
    done = f": {safe(asked.result)}" if asked.result else ""
    session.say(f"Approved that {what} are dropped (request {asked.id}){done}.")
