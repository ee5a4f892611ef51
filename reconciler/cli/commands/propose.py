"""`propose`: single lines of a spec as a branch."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile propose realm active=tiny-muon/campaign-001", "Switch heroes, on a branch of its own."),
        ("reconcile propose tiny-adamw/campaign-001 goal.updates=500 --why 'enough'", "A campaign's goal."),
        ("reconcile propose hero/tiny-adamw training_defaults.clip=0.5 --push origin", "Push it, too."),
        ("reconcile propose quest/bin-l1 priority=high --branch urgent", "An entry of the queue."),
    ],
)
@click.argument("thing")
@click.argument("edits", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--push", "push_to", metavar="REMOTE", help="Push the new branch there, and read it back.")
@commit_options()
@click.pass_obj
def command(
    session: Session,
    thing: str,
    edits: tuple[str, ...],
    push_to: str | None,
    branch: str | None,
    dry_run: bool,
    why: str | None,
    as_json: bool,
) -> None:
    """Commit KEY=VALUE edits of THING's spec on a new branch; comments and formatting stay.

    THING is realm, queue, retention, hosts, hero/<id>, skill/<id>, dataset/<id>, quest/<id>, a campaign
    <hero>/<id>, or the path of a spec. The edited specs are read whole before anything is committed: a
    mistake is never proposed. The branch is named after the edit, or by --branch; the files that are
    checked out stay as they are."""
    from reconciler.app.committing.proposing import propose

    committing = wanted(branch, why, dry_run=dry_run)
    made = propose(session.environment(), session.options(), thing, edits, committing, push_to)
    tell(session, made, as_json=as_json)
