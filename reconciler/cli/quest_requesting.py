"""What `skip` and `retry` have in common."""

from typing import Any, Literal

import click

from reconciler.cli.session import Session, Verb

Kind = Literal["skip", "retry"]
_TEXT = {
    "skip": "Send QUEST behind all others, as a low one; a second time, out of the queue. The reason stays.",
    "retry": "Let QUEST, which failed or was skipped, wait again in its place; its failures no longer count.",
}
_EXAMPLES = {
    "skip": [('reconcile skip gsm8k --why "too long for tonight"', "Train the others first.")],
    "retry": [("reconcile retry gsm8k", "After its file was mended.")],
}


def quest_request_command(kind: Kind) -> click.Command:
    """Return the command that leaves requests of one kind."""

    @click.command(kind, cls=Verb, help=_TEXT[kind], examples=_EXAMPLES[kind])
    @click.argument("quest")
    @click.option("--why", metavar="TEXT", help="The reason, kept with the job.")
    @click.option("--wait", is_flag=True, help="Return when this very request was handled.")
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="With --wait: so long at most; exit code 6 after that.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
    @click.pass_obj
    def command(session: Session, /, **given: Any) -> None:
        _ask(session, kind, **given)

    return command


def _ask(
    session: Session, kind: Kind, quest: str, why: str | None, wait: bool, timeout: float, as_json: bool
) -> None:
    from reconciler.app.quest_requests import ask_about_quest
    from reconciler.app.requests import wait_for
    from reconciler.cli.text_layout import safe

    layout, asked = ask_about_quest(session.environment(), session.options(), kind, quest, why)
    if not asked.is_reconciler_running and not wait:
        session.note("No reconciler is running; the next `reconcile apply` handles it.")
    if wait:
        asked = wait_for(layout, asked, timeout)
    if as_json:
        session.say_json(asked)
    elif asked.handled_at is not None:
        session.say(safe(asked.result or "handled"))
    else:
        session.say(f"Asked to {kind} {safe(asked.campaign)} (request {asked.id}).")
