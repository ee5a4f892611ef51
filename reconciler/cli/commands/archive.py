"""`archive`: a commit on the specs."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile archive tiny-adamw/campaign-001", "Commit it on the branch that is checked out."),
        ("reconcile archive tiny-adamw/campaign-001 --branch retire", "For a pull request."),
        ("reconcile archive tiny-adamw/campaign-001 --dry-run", "Only the diff."),
    ],
)
@click.argument("campaign")
@commit_options()
@click.pass_obj
def command(
    session: Session, campaign: str, branch: str | None, dry_run: bool, why: str | None, as_json: bool
) -> None:
    """Commit that CAMPAIGN rests in the Hall of Legends: one line of its spec. Apply moves it, whole.

    Then the rules for archived campaigns count (specs/retention.yaml): as shipped its best and its final
    checkpoint stay, the others go to the trash for 1 h, where undelete takes them back. `reconcile plan`
    names them beforehand. restore brings the campaign back with what is there."""
    from reconciler.app.committing.archiving import archive

    committing = wanted(branch, why, dry_run=dry_run)
    made = archive(session.environment(), session.options(), campaign, committing)
    tell(session, made, as_json=as_json)
