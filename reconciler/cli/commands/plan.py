"""`plan`: what apply would do."""

import click

from reconciler.cli.session import Session, Verb, set_option

CHANGES = 2


@click.command(
    cls=Verb,
    examples=[
        ("reconcile plan", "What apply would do at the commit that is checked out."),
        ("reconcile plan switch-to-muon", "What merging a branch would lead to."),
        ("reconcile plan --worktree", "What the files would lead to if they were committed as they are."),
        ("reconcile plan --set learning_rate=1e-4", "What apply with the same --set would do."),
        ("reconcile plan --json --detailed-exitcode", "For programs: exit code 2 when there are changes."),
    ],
)
@click.argument("ref", default="HEAD")
@click.option("--worktree", is_flag=True, help="Plan from the files as they are, committed or not.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON; reconcile schema plan.")
@click.option("--detailed-exitcode", is_flag=True, help="0 nothing to do, 1 error, 2 changes.")
@set_option()
@click.pass_obj
def command(
    session: Session,
    ref: str,
    worktree: bool,
    as_json: bool,
    detailed_exitcode: bool,
    settings: tuple[str, ...],
) -> int:
    """Show what apply would do at REF (default: the commit checked out), with reasons. Changes nothing."""
    from reconciler.app.plan_document import document_of
    from reconciler.app.planning import look
    from reconciler.cli.text_plan import plan_text

    if worktree and ref != "HEAD":
        raise click.UsageError("--worktree plans from the files that are there; it goes without REF")
    view = look(session.environment(), session.options(settings), ref=ref, worktree=worktree)
    document = document_of(view, ref)
    if as_json:
        session.say_json(document)
    else:
        said = session.said(settings)
        session.say(plan_text(document, session.width, session.paint, hints=not session.quiet, said=said))
    return CHANGES if detailed_exitcode and document.changes else 0
