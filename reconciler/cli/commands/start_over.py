"""`start-over`: a commit on the specs."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        (
            "reconcile start-over tiny-adamw",
            "A new campaign with the same settings; the old one is archived.",
        ),
        ('reconcile start-over tiny-adamw --name "Second light" --branch again', "For a pull request."),
        ("reconcile start-over tiny-adamw --old campaign-002", "Say which campaign ends."),
    ],
)
@click.argument("hero")
@click.option("--old", metavar="CAMPAIGN", help="The campaign that is archived (default: the active one).")
@click.option("--name", "title", metavar="TEXT", help="A name for people for the new campaign.")
@click.option("--keep-queue", is_flag=True, help="Leave quests that name the old campaign as they are.")
@commit_options()
@click.pass_obj
def command(
    session: Session,
    hero: str,
    old: str | None,
    title: str | None,
    keep_queue: bool,
    branch: str | None,
    dry_run: bool,
    why: str | None,
    as_json: bool,
) -> None:
    """Commit a fresh start of HERO: a new campaign with the old one's settings, the old one archived whole.

    Where realm.yaml and the queue name the old campaign, they name the new one then. What stays of the old
    one say the rules for archived campaigns (specs/retention.yaml); `reconcile plan` names what they let go.
    """
    from reconciler.app.committing.start_over import start_over

    made = start_over(
        session.environment(),
        session.options(),
        hero,
        wanted(branch, why, dry_run=dry_run),
        old=old,
        title=title,
        keep_queue=keep_queue,
    )
    tell(session, made, as_json=as_json)
