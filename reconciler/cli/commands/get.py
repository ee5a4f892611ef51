"""`get`: everything of one kind."""

import click

from reconciler.cli.options import option
from reconciler.cli.session import Session, Verb, wide_option


@click.command(
    cls=Verb,
    examples=[
        ("reconcile get campaigns", "Every campaign: step, synced, healthy, checkpoints."),
        ("reconcile get checkpoints tiny-adamw/campaign-001@500", "One checkpoint."),
        (
            "reconcile get checkpoints --best val_loss",
            "The best of each campaign by held-out loss, on the rows measured on last.",
        ),
        ("reconcile get checkpoints tiny-adamw/campaign-001 --latest --json", "The newest, as JSON."),
        ("reconcile get checkpoints tiny-adamw --limit 10", "The newest ten of a hero's campaigns."),
        ("reconcile get checkpoints --summary", "How many, how large, from when to when, by campaign."),
        ("reconcile get legends", "The Hall of Legends: archived campaigns, how they ended, their sizes."),
        ("reconcile get trash", "What was dropped, how large, and until when it can be taken back."),
        ("reconcile get queue", "How many jobs wait, are trained, are done; is that enough?"),
        ("reconcile get jobs --json", "Every quest that was trained, by whom, with its losses."),
    ],
)
@click.argument("kind", required=False)
@click.argument("name", metavar="[ID]", required=False)
@option("--latest", is_flag=True, help="Checkpoints: the newest complete one of each campaign.")
@option("--best", metavar="METRIC", help="Checkpoints: the best complete one of each living history.")
@option("--step", type=click.IntRange(min=0), metavar="N", help="Checkpoints: those of this step.")
@option("--summary", is_flag=True, help="Checkpoints: what those of each campaign come to.")
@option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N: the newest of what has a time.")
@wide_option()
@option("--json", "as_json", is_flag=True, help="Print every field as JSON.")
@click.pass_obj
def command(
    session: Session,
    kind: str | None,
    name: str | None,
    latest: bool,
    best: str | None,
    step: int | None,
    summary: bool,
    limit: int | None,
    wide: bool,
    as_json: bool,
) -> None:
    """List everything of KIND.

    Kinds: campaigns, heroes, quests, queue, jobs, checkpoints, legends, runs, skills, datasets,
    trash.

    ID is one of them; for checkpoints also a campaign or a hero, all of whose checkpoints are
    listed.
    """
    from reconciler.app.looking.get import KINDS, get
    from reconciler.app.looking.ledger_queries import Query
    from reconciler.cli.text_get import listing_text

    if kind is None:
        raise click.UsageError(f"say what to list: {', '.join(KINDS)}")
    query = Query(latest=latest, best=best, step=step, summary=summary)
    listing = get(session.environment(), session.options(), kind, name, query, limit)
    session.warn(listing.complaint)
    if as_json:
        session.say_json(listing)
    else:
        session.say(listing_text(listing, session.table_width(wide=wide), session.paint))
