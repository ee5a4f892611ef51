"""`diff`: two heroes, campaigns or checkpoints side by side."""

from pathlib import Path

import click

from reconciler.cli.session import Session, Verb, wide_option


@click.command(
    cls=Verb,
    examples=[
        ("reconcile diff tiny-adamw tiny-muon", "Two heroes: their specs, what they learnt, their best."),
        ("reconcile diff tiny-adamw/campaign-001 tiny-muon/campaign-001 --svg loss.svg", "With the curves."),
        ("reconcile diff tiny-adamw/campaign-001@best tiny-adamw/campaign-001@latest", "Two checkpoints."),
    ],
)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--svg", metavar="FILE", help="Draw the loss curves of both into this file.")
@wide_option()
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.pass_obj
def command(session: Session, a: str, b: str, svg: str | None, wide: bool, as_json: bool) -> None:
    """Compare A with B: two heroes, two campaigns (<hero>/<id>) or two checkpoints (<hero>/<id>@<step>).

    Settings that differ with the line that each comes from, the data that each has learnt, what was measured.
    """
    from reconciler.app.comparing.diff import diff
    from reconciler.cli.text_diff import diff_text

    found = diff(session.environment(), session.options(), a, b, Path(svg) if svg else None)
    if as_json:
        session.say_json(found)
    else:
        session.say_as_it_is(diff_text(found, session.table_width(wide=wide), session.paint))
    if svg:
        session.note(f"The curves are in {svg}.")
