"""`history`: every launch."""

import click

from reconciler.cli.options import option
from reconciler.cli.session import Session, Verb, wide_option


@click.command(
    cls=Verb,
    examples=[
        ("reconcile history", "Every launch, oldest first, with commit, config and code."),
        ("reconcile history tiny-adamw/campaign-001 --json", "One campaign's, with whole digests."),
        ("reconcile history --limit 5", "The newest five."),
    ],
)
@click.argument("campaign", required=False)
@option("--limit", type=click.IntRange(min=1), metavar="N", help="The newest N.")
@wide_option()
@click.option("--json", "as_json", is_flag=True, help="Print the launches as JSON.")
@click.pass_obj
def command(session: Session, campaign: str | None, limit: int | None, wide: bool, as_json: bool) -> None:
    """List every launch: when, campaign, run, specs commit, config, code, steps, how it ended."""
    from reconciler.app.looking.history import history
    from reconciler.app.planning.in_force import complaint_of
    from reconciler.cli.text_get import history_text

    found = history(session.environment(), session.options(), campaign, limit)
    session.warn(complaint_of(session.environment(), session.options()))
    if as_json:
        session.say_json(found)
    else:
        session.say(history_text(found, session.table_width(wide=wide), session.paint))
