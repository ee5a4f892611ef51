"""`apply`: do it."""

from typing import TYPE_CHECKING

import click

from reconciler.cli.session import Session, Verb, set_option

if TYPE_CHECKING:
    from reconciler.app.telling import Show
    from reconciler.loop import Mode


@click.command(
    cls=Verb,
    examples=[
        ("reconcile apply", "Bring it about, and go on: follow commits, requests and training."),
        ("reconcile apply --until-converged", "Leave when nothing is left to do."),
        ("reconcile apply --set learning_rate=1e-4", "With another rate for as long as it runs."),
        (
            "reconcile apply --source git@example.org:lab/specs.git --root /srv/realm",
            "Follow a repository elsewhere; later calls need the --root only.",
        ),
        ("reconcile apply --once --lock-timeout 30", "One look and its actions; wait 30 s for the lock."),
    ],
)
@click.option("--once", is_flag=True, help="One look and its actions, then leave; training goes on.")
@click.option(
    "--until-converged",
    is_flag=True,
    help="Leave when nothing is left to do; exit code 3 when the rest waits for a person.",
)
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for another reconciler; exit code 3 after that.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for everything that happens.")
@click.option("--source", metavar="URL", help="Specs elsewhere, for a --root that follows nothing yet.")
@click.option("--branch", metavar="NAME", help="Branch of that source (default: main).")
@set_option()
@click.pass_obj
def command(
    session: Session,
    source: str | None,
    branch: str | None,
    once: bool,
    until_converged: bool,
    lock_timeout: float,
    as_json: bool,
    settings: tuple[str, ...],
) -> int:
    """Bring the world to what the specs say at the newest commit of the branch that is followed.

    Ctrl-C finishes the current action and leaves; it never stops training.
    """
    from reconciler.app.applying import run_apply

    if once and until_converged:
        raise click.UsageError("--once and --until-converged: choose one")
    mode: Mode = "once" if once else "until-converged" if until_converged else "continuous"
    show = _show(session, as_json=as_json)
    try:
        return run_apply(
            session.environment(),
            session.options(settings, source=source, branch=branch),
            mode=mode,
            lock_timeout_seconds=lock_timeout,
            show=show,
            command=_command(session.host, settings, once=once, until_converged=until_converged),
        )
    finally:
        end_line = getattr(show, "end_line", None)
        if end_line is not None:
            end_line()


def _show(session: Session, *, as_json: bool) -> "Show":
    from reconciler.cli.showing import JsonShow, LineShow, TerminalShow

    if as_json:
        return JsonShow()
    return TerminalShow(session) if session.has_terminal else LineShow(session)


def _command(host: str | None, settings: tuple[str, ...], *, once: bool, until_converged: bool) -> str:
    """Return what the lock's file says that holds it."""
    words = [*(["--host", host] if host else []), *(word for one in settings for word in ("--set", one))]
    flags = ["--once"] if once else ["--until-converged"] if until_converged else []
    return " ".join(["reconcile apply", *words, *flags])
