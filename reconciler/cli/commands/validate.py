"""`validate`: every mistake in the specs."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile validate", "Check the files as they lie in the work tree."),
        ("reconcile validate --ref switch-to-muon", "Check what a branch says."),
    ],
)
@click.option("--ref", metavar="REF", help="Check the specs at a commit instead of the files.")
@click.option("--worktree", is_flag=True, help="Check the files as they are (the default).")
@click.option("--json", "as_json", is_flag=True, help="Print all mistakes as JSON.")
@click.pass_obj
def command(session: Session, ref: str | None, worktree: bool, as_json: bool) -> int:
    """Find every mistake in the specs, each with its place, what was expected and what to do."""
    from reconciler.app.validate import validate
    from reconciler.cli.text_validate import validation_text

    if worktree and ref is not None:
        raise click.UsageError("--worktree checks the files that are there; it goes without --ref")
    found = validate(session.environment(), session.options(), ref)
    if as_json:
        session.say_json(found)
    else:
        session.say(validation_text(found, session.paint))
        if not found.mistakes:
            session.note(
                "Only the specs were read. What is in the files of quests: reconcile plan --worktree"
            )
    return 1 if found.mistakes else 0
