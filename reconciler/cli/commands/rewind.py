"""`rewind`: a commit on the specs."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        (
            'reconcile rewind tiny-adamw/campaign-001@500 --why "the loss rose"',
            "Commit it, then apply does it.",
        ),
        ('reconcile rewind tiny-adamw/campaign-001@500 --why "too hot" --dry-run', "Only the diff."),
    ],
)
@click.argument("checkpoint")
@commit_options()
@click.pass_obj
def command(
    session: Session, checkpoint: str, branch: str | None, dry_run: bool, why: str | None, as_json: bool
) -> None:
    """Commit that a campaign goes back to CHECKPOINT (<hero>/<campaign>@<step>): one line of its spec.

    Apply lets its trainer save and leave, moves the later checkpoints to segments/<n>/ of the campaign's
    folder, and goes on from there as a new segment of its history. Nothing is deleted:
    <hero>/<campaign>@<n>:<step> names what was left, and the rows that only it had learnt are learnt again.
    Rates stay as the specs say.
    """
    from reconciler.app.committing.rewind import rewind

    committing = wanted(branch, why, dry_run=dry_run)
    made = rewind(session.environment(), session.options(), checkpoint, committing)
    tell(session, made, as_json=as_json)
