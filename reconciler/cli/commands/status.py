"""`status`: how the realm is."""

import click

from reconciler.cli.options import option
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile status", "The realm, and each campaign: synced, healthy, how far."),
        ("reconcile status --json", "The same for programs."),
        ("reconcile status --prometheus > realm.prom", "For the textfile collector of a node exporter."),
    ],
)
@option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
@option("--prometheus", is_flag=True, help="Print it as metrics, for a textfile collector.")
@click.pass_obj
def command(session: Session, as_json: bool, prometheus: bool) -> None:
    """Show how the realm is: does it match the specs (synced), is it well (healthy), what trains."""
    from reconciler.app.looking.status import status
    from reconciler.cli.text_status import status_text

    report = status(session.environment(), session.options())
    session.warn(report.complaint)
    if as_json and prometheus:
        raise click.UsageError("--json and --prometheus: choose one")
    if as_json:
        session.say_json(report)
    elif prometheus:
        from reconciler.cli.text_prometheus import metrics_text

        session.say_as_it_is(metrics_text(report))
    else:
        session.say(status_text(report, session.width, session.paint))
