"""`doctor`: checks, how to mend, and the mending that is safe."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile doctor", "Check everything that training needs; changes nothing."),
        ("reconcile doctor --json", "The same for programs; exit code 1 when something failed."),
        ("reconcile doctor --fix", "Do what is safe of what the checks name, then check again."),
        (
            "reconcile doctor --rebuild",
            "A lost or damaged store from the files; else the files from it.",
        ),
    ],
)
@click.option(
    "--fix",
    "is_fix",
    is_flag=True,
    help="Make the store again, copy it, have checkpoints read again, where a check names that; check again.",
)
@click.option(
    "--rebuild", "is_rebuild", is_flag=True, help="Make the store again from its files, or these from it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_obj
def command(session: Session, is_fix: bool, is_rebuild: bool, as_json: bool) -> int:
    """Check installation, specs, root, store, queue, GPU, disk, newest checkpoints; say how to mend.

    --fix drops no checkpoint and touches neither specs nor git. Exit code 3: a fix was refused, such as
    beside a reconciler at work; 1: something is not well still.
    """
    if is_fix and is_rebuild:
        raise click.UsageError("--fix and --rebuild: choose one")
    if is_fix:
        return _fix(session, as_json=as_json)
    if is_rebuild:
        return _rebuild(session, as_json=as_json)
    from reconciler.app.checking.doctor import doctor
    from reconciler.cli.text_doctor import diagnosis_text

    found = doctor(session.environment(), session.options())
    if as_json:
        session.say_json(found)
    else:
        session.say(diagnosis_text(found, session.width, session.paint))
    return 0 if found.is_well else 1


def _fix(session: Session, *, as_json: bool) -> int:
    """Say what was tried and what came of it, then what is left."""
    from reconciler.app.checking.fixing import fix
    from reconciler.cli.failures import BLOCKED
    from reconciler.cli.text_doctor import fixed_text

    found = fix(session.environment(), session.options())
    if as_json:
        session.say_json(found)
    else:
        session.say(fixed_text(found, session.width, session.paint))
    if found.is_blocked:
        return BLOCKED
    return 0 if found.is_well and not found.has_failed else 1


def _rebuild(session: Session, *, as_json: bool) -> int:
    """Say what was made again, from what, and what is not known any more."""
    from reconciler.app.rebuilding.doctor import rebuild
    from reconciler.cli.text_doctor import rebuilt_text

    made = rebuild(session.environment(), session.options())
    if as_json:
        session.say_json(made)
    else:
        session.say(rebuilt_text(made, session.width))
    return 1 if made.problems else 0
