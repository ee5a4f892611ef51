"""`events`: what apply did."""

import click

from reconciler.cli.session import Session, Verb, wide_option

LAST = 50


@click.command(
    cls=Verb,
    examples=[
        ("reconcile events", f"The newest {LAST} things that apply did or tried."),
        ("reconcile events tiny-adamw/campaign-001 -n 500", "About one campaign, its runs and checkpoints."),
        ("reconcile events --follow --json", "Whatever comes, as JSON lines."),
        ("reconcile events --since 4711 --json", "All after the number of an earlier one."),
    ],
)
@click.argument("about", required=False)
@click.option("-f", "--follow", "keep_on", is_flag=True, help="Go on with what comes; Ctrl-C ends it.")
@click.option("-n", "--lines", type=click.IntRange(min=0), metavar="N", help=f"The last N (default: {LAST}).")
@click.option("--since", type=click.IntRange(min=0), default=0, metavar="NUMBER", help="All after this one.")
@wide_option()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def command(
    session: Session,
    about: str | None,
    keep_on: bool,
    lines: int | None,
    since: int,
    wide: bool,
    as_json: bool,
) -> None:
    """Show what apply did and tried, and what made it necessary; ABOUT is a campaign, quest/<id> ..."""
    from reconciler.app.looking.events import events_of, follow, read_events
    from reconciler.app.looking.no_events import check_there_is, why_silent
    from reconciler.cli.text_events import event_text

    store = events_of(session.environment(), session.options())
    if about is not None:
        check_there_is(session.environment(), session.options(), store, about)
    last = LAST if lines is None and not since else lines
    read, event = follow if keep_on else read_events, None
    for event in read(store, about=about, since=since, last=last):
        if as_json:
            session.say_json_line(event)
        else:
            session.say(event_text(event, session.table_width(wide=wide), session.paint))
    if event is None:
        session.note(why_silent(store, about, since, last))
