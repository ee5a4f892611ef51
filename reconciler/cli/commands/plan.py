"""`plan`: what apply would do."""

from shlex import join, quote
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import FileName, option
from reconciler.cli.session import Session, Verb, choice_options, set_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.app.planning.look import View
    from reconciler.app.planning.plan_document import PlanDocument
    from reconciler.plan.review.narrowing import Choice

CHANGES = 2


@click.command(
    cls=Verb,
    examples=[
        ("reconcile plan", "What apply would do at the commit that is checked out."),
        ("reconcile plan switch-to-muon", "What merging a branch would lead to."),
        ("reconcile plan main..switch-to-muon", "What the branch adds to the plan of main, for a reviewer."),
        ("reconcile plan main...HEAD --format markdown", "The comment of a pull request."),
        ("reconcile plan main...HEAD --facts facts.json", "In a check that cannot reach the machine."),
        ("reconcile plan --worktree", "What the files would lead to if they were committed as they are."),
        ("reconcile plan --set learning_rate=1e-4", "What apply with the same --set would do."),
        ("reconcile plan --only 'quest/*'", "Of the plan just the quests, with what they need."),
        ("reconcile plan --out plan.json", "Save it; `reconcile apply plan.json` does just that."),
        ("reconcile plan --until 7d", "Also when each quest ends, and when the disk is full."),
        ("reconcile plan --json --detailed-exitcode", "For programs: exit code 2 when there are changes."),
    ],
)
@click.argument("ref", default="HEAD")
@option("--worktree", is_flag=True, help="Plan from the files as they are, committed or not.")
@option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="json: see reconcile schema plan. markdown: the comment of a pull request.",
)
@option("--json", "style", flag_value="json", help="The same as --format json.")
@option("--detailed-exitcode", is_flag=True, help="0 nothing to do, 1 error, 2 changes.")
@option(
    "--facts",
    metavar="FILE",
    type=FileName(),
    help="Plan against a snapshot that `reconcile observe --out FILE` made on the realm's machine.",
)
@option(
    "--out",
    metavar="FILE",
    type=FileName(),
    help="Save the plan too: `reconcile apply FILE` does just this, or nothing where it is stale.",
)
@option("--until", metavar="TIME", help="Say what comes in that time, such as 12h or 7d, if it goes on.")
@choice_options()
@set_option()
@click.pass_obj
def command(
    session: Session,
    facts: str | None,
    ref: str,
    worktree: bool,
    style: str,
    detailed_exitcode: bool,
    out: str | None,
    until: str | None,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    settings: tuple[str, ...],
) -> int:
    """Show what apply would do at REF (default: the commit checked out), with reasons. Changes nothing.

    REF may be BASE..HEAD: then only what HEAD adds to the plan of BASE is shown, and what it takes out of it.
    With three dots BASE is the commit where the two parted.

    Below the changes stands what the rules keep ("Kept of"): of each campaign that loses checkpoints by this
    plan and, of the active one, before its goal."""
    if worktree and ref != "HEAD":
        raise click.UsageError("--worktree plans from the files that are there; it goes without REF")
    if facts is not None and worktree:
        raise click.UsageError("--facts plans a commit; it goes without --worktree")
    if out is not None and (worktree or ".." in ref):
        raise click.UsageError(
            "--out saves the plan of one commit; it goes without --worktree and BASE..HEAD"
        )
    if (only or exclude) and ".." in ref:
        raise click.UsageError("--only and --exclude choose from one plan; they go without BASE..HEAD")
    from reconciler.plan.review.narrowing import Choice

    choice = Choice(only=only, exclude=exclude)
    see = _seer(session, settings, facts, worktree=worktree)
    see = _saving(session, see, choice, out, settings)
    document = _document(session, ref, settings, see, _seconds(until, ref))
    said = " ".join(part for part in (session.said(settings), join(choice.options)) if part)
    said = quote(out) if out is not None and ref == "HEAD" else said
    _show(session, document, style, said)
    return CHANGES if detailed_exitcode and document.changes else 0


def _saving(
    session: Session,
    see: "Callable[[str], View]",
    choice: "Choice",
    out: str | None,
    settings: "Sequence[str]",
) -> "Callable[[str], View]":
    """Return what looks, chooses, and saves what was chosen where that was asked for."""
    if not choice and out is None:
        return see

    def look(ref: str) -> "View":
        from reconciler.app.applying.choosing import chosen

        view = chosen(see(ref), choice)
        if out is not None:
            from pathlib import Path

            from reconciler.app.planning.saved_plans import save_plan, told

            saved = save_plan(Path(out), view, session.environment(), session.options(settings))
            session.note(told(saved, Path(out), view.window))
        return view

    return look


def _document(
    session: Session,
    ref: str,
    settings: "Sequence[str]",
    see: "Callable[[str], View]",
    ahead_seconds: float | None,
) -> "PlanDocument":
    from reconciler.app.planning.plan_document import document_of, with_forecast

    if ".." in ref:
        from reconciler.app.forges.plan_range import document_between

        return document_between(session.environment(), session.options(settings), ref, see)
    view = session.keep(see(ref))
    document = document_of(view, ref)
    return document if ahead_seconds is None else with_forecast(document, view, ahead_seconds)


def _seconds(until: str | None, ref: str) -> float | None:
    """Return how far to look ahead."""
    if until is None:
        return None
    if ".." in ref:
        raise click.UsageError("--until looks ahead of one plan; it goes without BASE..HEAD")
    from reconciler.desired.realm import duration_seconds

    try:
        return duration_seconds(until)
    except ValueError as error:
        raise click.UsageError(f'--until "{until}" is no time; expected one such as 12h or 7d') from error


def _seer(
    session: Session, settings: "Sequence[str]", facts: str | None, *, worktree: bool
) -> "Callable[[str], View]":
    """Return what looks at the world, or at a snapshot of it, and plans for a ref."""
    environment, options = session.environment(), session.options(settings)
    if facts is None:
        from reconciler.app.planning.look import look

        return lambda ref: look(environment, options, ref=ref, worktree=worktree)
    from pathlib import Path

    from reconciler.app.planning.snapshots import look_at_snapshot, read_snapshot

    snapshot = read_snapshot(Path(facts))
    return lambda ref: look_at_snapshot(environment, options, snapshot, ref)


def _show(session: Session, document: "PlanDocument", style: str, said: str) -> None:
    if style == "json":
        session.say_json(document)
    elif style == "markdown":
        from reconciler.cli.text_markdown import plan_markdown

        session.say_as_it_is(plan_markdown(document))
    else:
        from reconciler.cli.text_plan import plan_text

        session.say(plan_text(document, session.width, session.paint, hints=not session.quiet, said=said))
