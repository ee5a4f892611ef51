"""What every command shares that asks something of the loop: its options, and how the answer is told."""

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from reconciler.cli.session import Session, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.app.asking.quest_requests import QuestKind
    from reconciler.app.asking.requests import Asked
    from state.layout import Layout
    from state.store.rows import RequestKind

WAIT_SECONDS = 60.0
THIS_ONE = "Return when this very request was handled."
_HOLDS = {
    "pause": "Return when the trainer has paused; at once when none lives.",
    "resume": THIS_ONE,
    "stop": "Return when the trainer has left.",
    "checkpoint": "Return when the checkpoint is there; at once when no trainer lives.",
}

_ASKED = {"checkpoint": "Asked for a checkpoint of"}
"""Where `Asked to <kind>` would be no English."""


class Wishes(NamedTuple):
    """What the options of a request say."""

    why: str | None
    wait: bool
    timeout_seconds: float
    as_json: bool


def request_options(
    waits_for: str = THIS_ONE, why: str = "The reason, kept with the request."
) -> "Callable[[Callable[..., None]], Callable[..., None]]":
    """Return what gives a command the session, and its --why, --wait, --timeout and --json as `Wishes`."""
    options: list[Callable[[Any], Any]] = [
        click.option("--why", metavar="TEXT", help=why),
        click.option("--wait", is_flag=True, help=waits_for),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0),
            default=WAIT_SECONDS,
            show_default=True,
            metavar="SECONDS",
            help="With --wait: so long at most; exit code 6 after that.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the request as JSON."),
        click.pass_obj,
    ]

    def decorate(command: "Callable[..., None]") -> "Callable[..., None]":
        @wraps(command)
        def call(
            session: Session,
            /,
            *,
            why: str | None,
            wait: bool,
            timeout: float,
            as_json: bool,
            **words: Any,
        ) -> None:
            command(session, Wishes(why, wait, timeout, as_json), **words)

        decorated: Any = call
        for option in reversed(options):
            decorated = option(decorated)
        result: Callable[..., None] = decorated
        return result

    return decorate


def answer(
    session: Session,
    layout: "Layout",
    asked: "Asked",
    wishes: Wishes,
    said: str,
    *,
    warns_before: bool = True,
) -> "Asked":
    """Wait for a request if that was wished, and tell what came of it; `said` is what was asked for.

    `warns_before`: say first that the newest specs here have mistakes, if they have some.

    Raises:
        Blocked, TimedOut: as `wait_for`.
    """
    from reconciler.app.asking.requests import wait_for
    from reconciler.app.planning.in_force import complaint_of
    from reconciler.cli.text_layout import safe

    complaint = complaint_of(session.environment(), session.options()) if warns_before else None
    session.warn(complaint)
    first = "mend the specs, then" if complaint else "the next"
    if wishes.wait:
        asked = wait_for(layout, asked, wishes.timeout_seconds, has_mistakes=complaint is not None)
    elif not asked.is_reconciler_running:
        session.note(f"No reconciler is running; {first} `reconcile apply` handles it.")
    if wishes.as_json:
        session.say_json(asked)
    elif asked.handled_at is not None:
        session.say(safe(asked.result or "handled"))
    else:
        session.say(f"{safe(said)} (request {asked.id}).")
    return asked


def request_command(kind: "RequestKind", text: str, examples: "Sequence[tuple[str, str]]") -> click.Command:
    """Return the command that asks something of a campaign's trainer: to pause, go on, leave or save."""

    @click.command(kind, cls=Verb, help=text, examples=examples)
    @click.argument("campaign", required=False)
    @request_options(_HOLDS[kind], why="The reason, shown wherever the campaign is.")
    def command(session: Session, wishes: Wishes, campaign: str | None) -> None:
        from reconciler.app.asking.requests import request

        layout, asked = request(session.environment(), session.options(), kind, campaign, wishes.why)
        answer(session, layout, asked, wishes, f"{_ASKED.get(kind, f'Asked to {kind}')} {asked.campaign}")

    return command


def quest_request_command(
    kind: "QuestKind", text: str, examples: "Sequence[tuple[str, str]]"
) -> click.Command:
    """Return the command that asks something about a quest: to skip it, or to try it again."""

    @click.command(kind, cls=Verb, help=text, examples=examples)
    @click.argument("quest")
    @request_options(why="The reason, kept with the job.")
    def command(session: Session, wishes: Wishes, quest: str) -> None:
        from reconciler.app.asking.quest_requests import ask_about_quest

        layout, asked = ask_about_quest(session.environment(), session.options(), kind, quest, wishes.why)
        answer(session, layout, asked, wishes, f"Asked to {kind} {asked.campaign}")

    return command
