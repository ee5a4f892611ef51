"""`observe`: the world as a file."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile observe --out facts.json", "On the realm's machine, such as once an hour."),
        (
            "reconcile plan main...HEAD --facts facts.json --format markdown",
            "In the check of a pull request.",
        ),
    ],
)
@click.option("--out", required=True, metavar="FILE", help="Where to write it; - is the standard output.")
@click.pass_obj
def command(session: Session, out: str) -> None:
    """Write what is seen of the realm as one JSON file, so that others can plan against it.

    It holds names, paths, configs, counts and who asked for what; no weights, no rows, no passwords."""
    from pathlib import Path

    from reconciler.app.planning.snapshots import observe, write_snapshot

    snapshot = observe(session.environment(), session.options())
    if out == "-":
        session.say_json_line(snapshot)
        return
    write_snapshot(Path(out), snapshot)
    session.note(f"Wrote what was seen of {snapshot.realm} at {snapshot.seen_at} to {out}.")
