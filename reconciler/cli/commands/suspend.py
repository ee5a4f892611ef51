"""`suspend`: a commit that nothing is done for a thing."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile suspend realm --why 'new card on Monday' --until 2030-01-07T08:00:00Z", "Everything."),
        ("reconcile suspend tiny-adamw/campaign-001 --why 'odd loss'", "One campaign, until unsuspend."),
        ("reconcile suspend queue --why 'new data' --branch hold", "For a pull request."),
    ],
)
@click.argument("thing")
@click.option(
    "--until", metavar="TIME", help="When it ends by itself, in UTC: 2030-01-07T08:00:00Z, or a day."
)
@commit_options()
@click.pass_obj
def command(
    session: Session,
    thing: str,
    until: str | None,
    branch: str | None,
    dry_run: bool,
    why: str | None,
    as_json: bool,
) -> None:
    """Commit that nothing is done for THING (realm, queue, hero/<id>, a campaign ...): one line of its spec.

    --why is needed: status shows the reason and the end. What trains saves and leaves. While the realm is
    suspended nobody is switched or moved, and no quest is generated or queued, either; what has ended is
    still written down, and what people ask for is done. `pause` is the request that needs no commit."""
    from reconciler.app.committing.proposing import suspend

    committing = wanted(branch, why, dry_run=dry_run)
    made = suspend(session.environment(), session.options(), thing, why or "", until, committing)
    tell(session, made, as_json=as_json)
