"""`comment`: the plan under a pull request."""

import os

import click

from reconciler.cli.session import Session, Verb

TOKEN = "REALM_FORGE_TOKEN"  # noqa: S105 - the name of a variable


@click.command(
    cls=Verb,
    examples=[
        (
            "reconcile comment --forge github --repository lab/specs --number 7 --file plan.md",
            f"With the token in {TOKEN}; a second time it updates the same comment.",
        ),
        (
            "reconcile comment --forge gitea --api https://git.example.org/api/v1 --repository lab/specs "
            "--number 7 --file plan.md",
            "On a forge of your own.",
        ),
    ],
)
@click.option(
    "--forge",
    type=click.Choice(["github", "gitea", "gitlab"]),
    required=True,
    help="Which forge has the pull request.",
)
@click.option("--api", metavar="URL", help="Address of its API (default: that of github.com or gitlab.com).")
@click.option("--repository", metavar="OWNER/NAME", required=True, help="The repository there.")
@click.option("--number", type=click.IntRange(min=1), metavar="N", required=True, help="The pull request.")
@click.option("--file", "path", metavar="FILE", required=True, help="What plan --format markdown wrote.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_obj
def command(
    session: Session, forge: str, api: str | None, repository: str, number: int, path: str, as_json: bool
) -> None:
    """Put a plan under a pull request, as one comment that is updated and never repeated.

    For checks (reconcile new check); the token is read from REALM_FORGE_TOKEN alone."""
    from pathlib import Path

    from reconciler.app.forges.comments import Place, comment
    from reconciler.app.surroundings.errors import Misused

    usual = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}
    address, token = api or usual.get(forge), os.environ.get(TOKEN, "").strip()
    if address is None:
        raise Misused("--forge gitea needs --api, such as https://git.example.org/api/v1")
    if not token:
        raise Misused(f"{TOKEN} is empty: put the forge's token into it")
    try:
        body = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{path}: cannot be read: {error}") from error
    place = Place(forge=forge, api=address, repository=repository, number=number, token=token)  # type: ignore[arg-type]  # click has checked it
    done = comment(place, body)
    if as_json:
        session.say_json(done)
    else:
        session.say(
            f"{'Made' if done.is_new else 'Updated'} comment {done.comment} under {repository} {number}."
        )
