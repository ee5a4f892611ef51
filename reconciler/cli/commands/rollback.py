"""`rollback`: a commit that takes an earlier one back."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile rollback --why 'the loss went up'", "Take the newest commit (or merge) back."),
        ("reconcile rollback 4f1c2d9 --why 'wrong hero' --branch back", "An older one, for a pull request."),
        ("reconcile rollback HEAD~2 --why 'not now' --dry-run", "Only the diff."),
    ],
)
@click.argument("commit", required=False)
@commit_options()
@click.pass_obj
def command(
    session: Session, commit: str | None, branch: str | None, dry_run: bool, why: str | None, as_json: bool
) -> None:
    """Commit the specs as they are without what COMMIT (default: the newest) did to them; --why is needed.

    Of a merge everything that it brought is taken back; a rollback itself only where it is named. Only specs
    count. Edits made since stay; where they stand in the same lines, nothing is committed. What was trained
    meanwhile is kept."""
    from reconciler.app.committing.rollback import rollback

    committing = wanted(branch, why, dry_run=dry_run)
    made = rollback(session.environment(), session.options(), commit, committing)
    tell(session, made, as_json=as_json)
