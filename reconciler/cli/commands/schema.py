"""`schema`: the JSON Schemas."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile schema hero", "The schema of one kind of spec."),
        ("reconcile schema plan", "The schema of what plan --json prints."),
        ("reconcile schema --out schemas", "Write all of them into a folder, for an editor."),
    ],
)
@click.argument("kind", required=False)
@click.option("--out", metavar="DIR", help="Write one file for each schema there.")
@click.pass_obj
def command(session: Session, kind: str | None, out: str | None) -> None:
    """Print the JSON Schema of KIND, or those of all kinds as one object by name."""
    from pathlib import Path

    from reconciler.app.checking.schemas import schema_of, schemas, write_schemas

    if out is not None:
        if kind is not None:
            raise click.UsageError("--out writes all schemas; it goes without KIND")
        for file in write_schemas(Path(out)):
            session.say_as_it_is(str(file))
        return
    session.say_json(schemas() if kind is None else schema_of(kind))
