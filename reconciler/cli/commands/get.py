"""`get`: everything of one kind."""

import click

from reconciler.cli.session import Session, Verb, wide_option


@click.command(
    cls=Verb,
    examples=[
        ("reconcile get campaigns", "Every campaign: step, synced, healthy, checkpoints."),
        ("reconcile get checkpoints tiny-adamw/campaign-001@500", "One checkpoint."),
        ("reconcile get jobs --json", "Every quest that was trained, by whom, with its losses."),
    ],
)
@click.argument("kind", required=False)
@click.argument("name", metavar="[ID]", required=False)
@wide_option()
@click.option("--json", "as_json", is_flag=True, help="Print every field as JSON.")
@click.pass_obj
def command(session: Session, kind: str | None, name: str | None, wide: bool, as_json: bool) -> None:
    """List everything of KIND: campaigns, heroes, quests, jobs, checkpoints, runs or skills."""
    from reconciler.app.get import KINDS, get
    from reconciler.cli.text_get import listing_text

    if kind is None:
        raise click.UsageError(f"say what to list: {', '.join(KINDS)}")
    listing = get(session.environment(), session.options(), kind, name)
    if as_json:
        session.say_json(listing)
    else:
        session.say(listing_text(listing, session.table_width(wide=wide), session.paint))
