"""`prove`: what a checkpoint has learnt, checked against the data."""

import click

from reconciler.cli.session import Session, Verb, wide_option

NOT_PROVEN = 1


@click.command(
    cls=Verb,
    examples=[
        (
            "reconcile prove tiny-adamw/campaign-001@latest",
            "How often each row was learnt, and today's files.",
        ),
        ("reconcile prove tiny-adamw/campaign-001@500 --row data/sums.jsonl:20", "When row 20 was learnt."),
        ("reconcile prove tiny-adamw/campaign-001@best --json", "All of it, with every range of rows."),
    ],
)
@click.argument("checkpoint")
@click.option(
    "--row", metavar="FILE:N", help="Whether and when this row was learnt; FILE may be a quest's id."
)
@wide_option()
@click.option("--json", "as_json", is_flag=True, help="Print the proof as JSON.")
@click.pass_obj
def command(session: Session, checkpoint: str, row: str | None, wide: bool, as_json: bool) -> int:
    """Show what CHECKPOINT (<hero>/<campaign>@<step>, @latest or @best) has learnt through all its ancestors.

    Its records, those of deleted ancestors too, become rows of the data snapshots, whose bytes are hashed;
    today's files are compared with them row by row. The exit code is 1 when a row was repeated or skipped, or
    something is not known.
    """
    from reconciler.cli.text_proof import proof_text, row_text

    width = session.table_width(wide=wide)
    if row is not None:
        from reconciler.app.proof.prove_row import prove_row

        found = prove_row(session.environment(), session.options(), checkpoint, row)
        session.say_json(found) if as_json else session.say(row_text(found, width, session.paint))
        return NOT_PROVEN if found.problems else 0
    from reconciler.app.proof.prove import prove

    proof = prove(session.environment(), session.options(), checkpoint)
    session.say_json(proof) if as_json else session.say(proof_text(proof, width, session.paint))
    return 0 if proof.is_proven else NOT_PROVEN
