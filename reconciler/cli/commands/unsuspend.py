"""`unsuspend`: a commit that a thing is suspended no longer."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile unsuspend realm", "Commit it on the branch that is checked out."),
        ("reconcile unsuspend tiny-adamw/campaign-001 --dry-run", "Only the diff."),
    ],
)
@click.argument("thing")
@commit_options()
@click.pass_obj
def command(
    session: Session, thing: str, branch: str | None, dry_run: bool, why: str | None, as_json: bool
) -> None:
    """Commit that THING is suspended no longer: the line that suspend wrote goes."""
    from reconciler.app.committing.proposing import unsuspend

    committing = wanted(branch, why, dry_run=dry_run)
    made = unsuspend(session.environment(), session.options(), thing, committing)
    tell(session, made, as_json=as_json)
