"""`refresh`: a request to the loop."""

import click

from reconciler.cli.requesting import Wishes, answer, request_options
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile refresh", "Look at the source now; for a post-receive hook, too."),
        (
            "reconcile refresh --wait",
            "Return when this very look was made; exit code 3 where the newest cannot be in force.",
        ),
        (
            "reconcile refresh --accept 4f1c2d9a0b1c --why 'rebased on purpose'",
            "Take up a rewritten history.",
        ),
    ],
)
@click.option("--accept", "accepts", metavar="COMMIT", help="What may be taken up, as status names it.")
@request_options()
def command(session: Session, wishes: Wishes, accepts: str | None) -> None:
    """Ask the loop to look at its source now, instead of after `apply: {poll}`.

    While a source cannot be followed (unreachable, its branch gone, its history rewritten), the commit before
    stays in force and nothing is deleted. Of local specs every commit is seen at once anyway, and followed;
    what a branch here would delete that was moved back, or rewritten, waits for `--accept`."""
    from reconciler.app.asking.refreshing import ask_refresh, is_elsewhere
    from reconciler.app.surroundings.errors import Blocked

    layout, asked = ask_refresh(session.environment(), session.options(), accepts, wishes.why)
    knows = not (wishes.wait or is_elsewhere(layout))  # else what it finds tells how the newest specs are
    done = answer(session, layout, asked, wishes, "Asked for a look at the source", warns_before=knows)
    if done.found_mistakes:
        click.get_current_context().exit(Blocked.exit_code)
