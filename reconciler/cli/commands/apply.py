"""`apply`: do it."""

from typing import TYPE_CHECKING

import click

from reconciler.cli.session import Session, Verb, choice_options, set_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.app.applying.telling import Show
    from reconciler.app.applying.ticking import Choose
    from reconciler.app.surroundings.place import Options
    from reconciler.loop import Mode
    from reconciler.plan.review.narrowing import Choice
    from reconciler.plan.review.saved import SavedPlan


@click.command(
    cls=Verb,
    examples=[
        ("reconcile apply", "Bring it about, and go on: follow commits, requests and training."),
        ("reconcile apply --until-converged", "Leave when nothing is left to do."),
        ("reconcile apply --until-converged --timeout 3600", "An hour at most; exit code 6 after that."),
        ("reconcile apply --set learning_rate=1e-4", "With another rate for as long as it runs."),
        (
            "reconcile apply --source git@example.org:lab/specs.git --root /srv/realm",
            "Follow a repository elsewhere; later calls need the --root only.",
        ),
        ("reconcile apply plan.json", "Just what `reconcile plan --out plan.json` showed, or nothing."),
        ("reconcile apply --once --exclude 'checkpoint/*'", "All but what is to be dropped."),
        (
            "reconcile apply --new-root",
            "Begin again from nothing, where the root of before is gone for good.",
        ),
        ("reconcile apply --any-time", "Do not wait for the realm's change windows this time."),
        ("reconcile apply --once --lock-timeout 30", "One look and its actions; wait 30 s for the lock."),
    ],
)
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=str))
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
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="With --until-converged: so long at most, then what was begun is done; exit code 6 after that.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for everything that happens.")
@click.option("--source", metavar="URL", help="Specs elsewhere, for a --root that follows nothing yet.")
@click.option("--branch", metavar="NAME", help="Branch of that source (default: main).")
@click.option("--any-time", is_flag=True, help="Take up new commits outside the change windows, too.")
@click.option("--new-root", is_flag=True, help="Begin anew where a root was in use that is gone for good.")
@choice_options()
@set_option()
@click.pass_obj
def command(
    session: Session,
    planfile: str | None,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    any_time: bool,
    new_root: bool,
    source: str | None,
    branch: str | None,
    once: bool,
    until_converged: bool,
    lock_timeout: float,
    timeout: float | None,
    as_json: bool,
    settings: tuple[str, ...],
) -> int:
    """Bring the world to what the specs say at the newest commit of the branch that is followed.

    With PLANFILE, which `plan --out` wrote, once and just that; where something that it is about is not as it
    was any more, nothing is done. Ctrl-C finishes the current action and leaves; it never stops training.
    """
    if once and until_converged:
        raise click.UsageError("--once and --until-converged: choose one")
    if timeout is not None and not until_converged:
        raise click.UsageError("--timeout is how long --until-converged may take; give both")
    words = (*only, *exclude, *settings, *filter(None, (source, branch)), *([new_root] if new_root else []))
    if planfile is not None and (until_converged or words):
        raise click.UsageError("a saved plan says what is done, and once; it goes with --once alone")
    from reconciler.plan.review.narrowing import Choice

    mode: Mode = "once" if once or planfile else "until-converged" if until_converged else "continuous"
    options = session.options(settings, source=source, branch=branch, new_root=new_root)
    choice = Choice(only=only, exclude=exclude)
    options, choose, saved = _chosen(session, options, planfile, choice, any_time=any_time)
    said = (*([planfile] if planfile else []), *(word for one in settings for word in ("--set", one)))
    said = (*said, *(["--any-time"] if any_time else []), *choice.options)
    return _run(
        session,
        options,
        mode,
        lock_timeout,
        as_json,
        choose,
        said,
        planfile,
        saved,
        any_time=any_time,
        timeout=timeout,
    )


def _chosen(
    session: Session, options: "Options", planfile: str | None, choice: "Choice", *, any_time: bool
) -> "tuple[Options, Choose | None, SavedPlan | None]":
    """Return the options, those of a saved plan among them, what takes of a plan what is meant, and it."""
    from reconciler.app.applying.choosing import by_choice, by_saved

    if planfile is None:
        return options, by_choice(choice), None
    from pathlib import Path

    import msgspec

    from reconciler.app.planning.saved_plans import check_before, read_plan

    saved = read_plan(Path(planfile))
    options = msgspec.structs.replace(options, settings=saved.settings, host=options.host or saved.host)
    check_before(session.environment(), options, Path(planfile), saved, any_time=any_time)
    return options, by_saved(Path(planfile), saved), saved


def _run(
    session: Session,
    options: "Options",
    mode: "Mode",
    lock_timeout: float,
    as_json: bool,
    choose: "Choose | None",
    said: "Sequence[str]",
    planfile: str | None,
    saved: "SavedPlan | None",
    *,
    any_time: bool,
    timeout: float | None,
) -> int:
    import math

    from reconciler.app.applying.apply import run_apply

    show = _show(session, as_json=as_json)
    try:
        code = run_apply(
            session.environment(),
            options,
            mode=mode,
            lock_timeout_seconds=lock_timeout,
            timeout_seconds=math.inf if timeout is None else timeout,
            show=show,
            command=_command(session.host, said, mode),
            choose=choose,
            any_time=any_time,
        )
    finally:
        end_line = getattr(show, "end_line", None)
        if end_line is not None:
            end_line()
    ended = getattr(show, "saved_plan_ended", None)
    if planfile is not None and ended is not None:
        ended(planfile, saved)
    return code


def _show(session: Session, *, as_json: bool) -> "Show":
    from reconciler.cli.showing import JsonShow, LineShow, TerminalShow

    if as_json:
        return JsonShow()
    return TerminalShow(session) if session.has_terminal else LineShow(session)


def _command(host: str | None, said: "Sequence[str]", mode: "Mode") -> str:
    """Return what the lock's file says that holds it."""
    flags = [] if mode == "continuous" else [f"--{mode}"]
    return " ".join(["reconcile apply", *(["--host", host] if host else []), *said, *flags])
