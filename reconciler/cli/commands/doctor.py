"""`doctor`: checks, and how to mend."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile doctor", "Check everything that training needs; changes nothing."),
        ("reconcile doctor --json", "The same for programs; exit code 1 when something failed."),
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_obj
def command(session: Session, as_json: bool) -> int:
    """Check installation, specs, root, store, queue, GPU, disk, newest checkpoints; say how to mend."""
    from reconciler.app.doctor import doctor
    from reconciler.cli.text_doctor import diagnosis_text

    found = doctor(session.environment(), session.options())
    if as_json:
        session.say_json(found)
    else:
        session.say(diagnosis_text(found, session.width, session.paint))
    return 0 if found.is_well else 1
