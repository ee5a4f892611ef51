"""`scrub`: a request to the loop to read checkpoints again."""

import click

from reconciler.cli.requesting import Wishes, answer, request_options
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile scrub", "Read what was not read again for a week."),
        ("reconcile scrub tiny-adamw/campaign-001@500 --wait", "One checkpoint, wherever it lies; and wait."),
        ("reconcile scrub --all --rate 200MB/s", "All of them, also those read yesterday, at 200 MB/s."),
    ],
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "again", is_flag=True, help="Those, too, that were read in the last week.")
@click.option("--rate", metavar="RATE", help="At most so fast, such as 50MB/s; else as retention.yaml says.")
@request_options("Return when everything was read.")
def command(
    session: Session, wishes: Wishes, names: tuple[str, ...], rate: str | None, *, again: bool
) -> None:
    """Read checkpoints again, past the page cache, and compare every byte with their manifests.

    NAME is a checkpoint (<hero>/<campaign>@<step>) or a campaign; without one all of them are read that were
    not for a week: those in use, archived, in the trash, and exported. What is damaged is named, set aside,
    mended from another copy where there is one, and holds back all deletions of its campaign. Training goes
    on meanwhile; a pause or a stop does not wait. `scrub: {every: 7d, rate: 50MB/s}` in retention.yaml does
    the same by itself.
    """
    from reconciler.app.asking.scrubbing import scrub

    environment, options = session.environment(), session.options()
    layout, asked = scrub(environment, options, names, rate, wishes.why, again=again)
    answer(session, layout, asked, wishes, f"Asked to read {asked.campaign} again")
