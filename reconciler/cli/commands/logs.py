"""`logs`: the training log."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile logs", "The log of the active campaign's newest run."),
        ("reconcile logs tiny-muon/campaign-001 -n 50 -f", "Its last 50 lines, and what comes."),
    ],
)
@click.argument("campaign", required=False)
@click.option("-f", "--follow", "keep_on", is_flag=True, help="Go on with what is added; Ctrl-C ends it.")
@click.option("-n", "--lines", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@click.pass_obj
def command(session: Session, campaign: str | None, keep_on: bool, lines: int | None) -> None:
    """Show the training log of CAMPAIGN (default: the active one)."""
    from reconciler.app.looking.logs import follow, log_of, read_lines
    from reconciler.app.planning.in_force import complaint_of

    path = log_of(session.environment(), session.options(), campaign)
    session.warn(complaint_of(session.environment(), session.options()))
    for line in follow(path, lines) if keep_on else read_lines(path, lines):
        session.say_line(line)
