"""`wait`: until a thing is as wanted."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile wait tiny-adamw/campaign-001 --for step=500", "Until it has come so far."),
        (
            "reconcile wait quest/bin-l1 --for completed --timeout 3600",
            "An hour at most; exit code 6 after that.",
        ),
        ("reconcile wait realm --for applied", "Until nothing is left to do at the newest commit."),
    ],
)
@click.argument("thing")
@click.option(
    "--for",
    "condition",
    required=True,
    metavar="CONDITION",
    help="Of a campaign: step=N, saved, completed, synced, healthy, paused. Of a quest: its state. "
    "Of the realm: applied, idle.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="So long at most; exit code 6 after that.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(session: Session, thing: str, condition: str, timeout: float, as_json: bool) -> None:
    """Return when THING (realm, quest/<id>, <hero>/<campaign>) is as wanted.

    It fails at once when that cannot come about without a person, and says what is in the way: a quest that
    failed, what is suspended without an end, a newest commit with mistakes. It looks once a second, by the
    branch that apply follows, as fetched last, and starts nothing: an apply must run."""
    from reconciler.app.explaining.waiting import wait_until
    from reconciler.cli.text_layout import safe

    done = wait_until(session.environment(), session.options(), thing, condition, timeout)
    if as_json:
        session.say_json(done)
    else:
        session.say(f"{safe(thing)} is {safe(condition)}: {safe(done.now)}")
