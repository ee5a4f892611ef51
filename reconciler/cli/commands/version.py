"""`version`: which software this is."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile version", "What to put into a report."),
        ("reconcile version --json", "For programs."),
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print the versions as JSON.")
@click.pass_obj
def command(session: Session, as_json: bool) -> None:
    """Print version, code version, Python, SQLite, and torch where it is installed."""
    from reconciler.app.surroundings.versions import versions
    from reconciler.cli.text_layout import safe

    found = versions()
    if as_json:
        session.say_json(found)
        return
    pairs = [
        ("realm-reconciler", found.version),
        ("code", found.code_version),
        ("python", found.python),
        ("sqlite", found.sqlite),
        ("torch", found.torch or "not installed"),
        ("transformers", found.transformers or "not installed"),
    ]
    session.say("\n".join(f"{name:<18}{safe(text)}" for name, text in pairs))
