"""What `pause`, `resume` and `stop` have in common."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.session import Session, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.app.requests import Kind

WAIT_SECONDS = 60.0
_WAIT_HELP = {
    "pause": "Return when the trainer has paused; at once when none lives.",
    "resume": "Return when this very request was handled.",
    "stop": "Return when the trainer has left.",
}


def request_command(kind: "Kind", text: str, examples: "Sequence[tuple[str, str]]") -> click.Command:
    """Return the command that leaves requests of one kind."""

    def run(
        session: Session, campaign: str | None, why: str | None, wait: bool, timeout: float, as_json: bool
    ) -> None:
        _ask(session, kind, campaign, why, wait_seconds=timeout if wait else None, as_json=as_json)

    decorate: list[Callable[[Any], Any]] = [
        click.pass_obj,
        click.option("--json", "as_json", is_flag=True, help="Print the request as JSON."),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0),
            default=WAIT_SECONDS,
            show_default=True,
            metavar="SECONDS",
            help="With --wait: so long at most; exit code 6 after that.",
        ),
        click.option("--wait", is_flag=True, help=_WAIT_HELP[kind]),
        click.option("--why", metavar="TEXT", help="The reason, shown wherever the campaign is."),
        click.argument("campaign", required=False),
    ]
    for one in decorate:
        run = one(run)
    return click.command(kind, cls=Verb, help=text, examples=examples)(run)


def _ask(
    session: Session,
    kind: "Kind",
    campaign: str | None,
    why: str | None,
    *,
    wait_seconds: float | None,
    as_json: bool,
) -> None:
    from reconciler.app.in_force import complaint_of
    from reconciler.app.requests import request, wait_for
    from reconciler.cli.text_layout import safe

    layout, asked = request(session.environment(), session.options(), kind, campaign, why)
    complaint = complaint_of(session.environment(), session.options())
    session.warn(complaint)
    if not asked.is_reconciler_running and wait_seconds is None:
        first = "mend the specs, then" if complaint else "the next"
        session.note(f"No reconciler is running; {first} `reconcile apply` handles it.")
    if wait_seconds is not None:
        asked = wait_for(layout, asked, wait_seconds)
    if as_json:
        session.say_json(asked)
    elif asked.handled_at is not None:
        session.say(safe(asked.result or "handled"))
    else:
        session.say(f"Asked to {kind} {safe(asked.campaign)} (request {asked.id}).")
