"""`new`: a spec with comments that teach, or a check of specs."""

import click

from reconciler.cli.session import Session, Verb


@click.group(invoke_without_command=False)
def command() -> None:
    """Write a new spec or check, with comments that teach; never over a file that is there.

    Each kind has --help with examples.
    """


@command.command(
    cls=Verb,
    short_help="Write the spec of a new hero.",
    examples=[
        ("reconcile new hero pip", "Write specs/heroes/pip.yaml: a tiny model with random weights."),
        ("reconcile new hero dio --model Qwen/Qwen3-0.6B", "Of a model in the hub's local cache."),
        ("reconcile new hero mine --model ./models/mine", "Of a folder with config.json and weights."),
    ],
)
@click.argument("hero", metavar="ID")
@click.option(
    "--model", metavar="FOLDER|NAME", help="A model on this machine; its config.json says the facts."
)
@click.option("--json", "as_json", is_flag=True, help="Print the path as JSON.")
@click.pass_obj
def hero(session: Session, hero: str, model: str | None, as_json: bool) -> None:
    """Write the spec of a new hero."""
    from reconciler.app.committing.new import new_hero

    written = new_hero(session.environment(), session.options(), hero, model)
    if as_json:
        session.say_json(written)
        return
    session.say_as_it_is(written.path)
    for note in written.notes:
        session.note(note)
    session.note(f"Next:  reconcile new campaign {written.name}        Check:  reconcile validate")


@command.command(
    cls=Verb,
    short_help="Write the spec of a hero's next campaign.",
    examples=[
        ("reconcile new campaign pip", "Write the hero's next campaign; used numbers are never used again."),
        ('reconcile new campaign pip --name "Second light"', "The same with a name for people."),
    ],
)
@click.argument("hero", metavar="HERO")
@click.option("--name", metavar="TEXT", help="A name for people.")
@click.option("--json", "as_json", is_flag=True, help="Print the path as JSON.")
@click.pass_obj
def campaign(session: Session, hero: str, name: str | None, as_json: bool) -> None:
    """Write the spec of HERO's next campaign, under the next number that was never used.

    One that only gets another name is no new one: move its file and change its id, or write `was: HERO/ID` in
    the file of the new name. `was: none` says that it is a new one, where a plan asks.
    """
    from reconciler.app.committing.new import new_campaign

    written = new_campaign(session.environment(), session.options(), hero, name)
    if as_json:
        session.say_json(written)
        return
    session.say_as_it_is(written.path)
    session.note(
        f"To train it:  specs/realm.yaml: active: {written.name}, and a quest for it in specs/queue.yaml; "
        "then commit"
    )


_OF_A_FORGE = "Read it, commit it; it says what the realm's machine has to publish."
_OF_PRE_COMMIT = "Read it, commit it; then, once in each clone:  pre-commit install"


@command.command(
    cls=Verb,
    short_help="Write what a forge, or git, runs on an edit of the specs.",
    examples=[
        ("reconcile new check github", "Write .github/workflows/realm.yml: validate, plan, one comment."),
        ("reconcile new check pre-commit", "Write .pre-commit-config.yaml: no commit with a mistake."),
        (
            "reconcile --root /srv/realm --repo /srv/git/lab.git new check post-receive",
            "The hook of a repository that is pushed to: the realm looks at once.",
        ),
    ],
)
@click.argument("kind", type=click.Choice(["github", "gitea", "gitlab", "pre-commit", "post-receive"]))
@click.option("--json", "as_json", is_flag=True, help="Print the path as JSON.")
@click.pass_obj
def check(session: Session, kind: str, as_json: bool) -> None:
    """Write what a forge, or git, runs before an edit of the specs is merged, or after a push."""
    from reconciler.app.forges.checks import new_check
    from reconciler.app.forges.hooks import NAME, new_post_receive

    environment, options = session.environment(), session.options()
    is_hook = kind == NAME
    written = new_post_receive(environment, options) if is_hook else new_check(environment, options, kind)  # type: ignore[arg-type]  # click has checked it
    if as_json:
        session.say_json(written)
        return
    session.say_as_it_is(written.path)
    if not is_hook:
        session.note(_OF_PRE_COMMIT if kind == "pre-commit" else _OF_A_FORGE)
