"""`restore`: a commit on the specs."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile restore tiny-adamw/campaign-001", "Commit it on the branch that is checked out."),
        ("reconcile restore tiny-adamw/campaign-001 --dry-run", "Only the diff."),
    ],
)
@click.argument("campaign")
@commit_options()
@click.pass_obj
def command(
    session: Session, campaign: str, branch: str | None, dry_run: bool, why: str | None, as_json: bool
) -> None:
    """Commit that CAMPAIGN comes out of the archive: one line of its spec is removed. It is paused then."""
    from reconciler.app.committing.archiving import restore

    committing = wanted(branch, why, dry_run=dry_run)
    made = restore(session.environment(), session.options(), campaign, committing)
    tell(session, made, as_json=as_json)
