"""`import`: a commit of a new campaign that begins with a folder of other software, or of another realm.

The folder is only looked at. `apply` copies it, reads the copy back, and enters it into the ledger.
"""

from pathlib import Path

from reconciler.app.committing.new import check_title, used_numbers
from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.spec_edits import Base, Committing, SpecCommit, commit_edits, read_base
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, Misused
from reconciler.app.surroundings.ground import not_found, work_tree_of
from reconciler.app.surroundings.place import Options
from reconciler.observed.producers import SAYS
from reconciler.observed.start_folders import observe_start_folder
from reconciler.observed.start_records import StartFolder
from state.amounts import count, size

_MOST_NAMES = 6


def import_folder(
    environment: Environment,
    options: Options,
    folder: str,
    committing: Committing,
    *,
    hero: str | None = None,
    title: str | None = None,
) -> SpecCommit:
    """Commit a new campaign of the hero that begins with the newest whole checkpoint in a folder.

    Raises:
        NotFound: there is no such hero.
        Misused: no hero was named where there are several.
        Failed: nothing whole lies there, or nothing that can be begun with.
        Blocked: its model is not the hero's.
    """
    check_title(title)
    path = (environment.cwd / folder).resolve()
    base = read_base(environment, options)
    hero = _hero(base, hero)
    found = observe_start_folder(str(path))
    if found.problem is not None:
        hint = f"; {found.hint}" if found.hint else ""
        raise Failed(f"{path}: {found.problem}{hint}; nothing was committed")
    _refuse_other_model(base, hero, found)
    number = 1 + max(used_numbers(environment, options, work_tree_of(environment, options), hero), default=0)
    name = f"{hero}/campaign-{number:03d}"
    text = (
        f"id: campaign-{number:03d}\nname: {quoted(title or f'From {Path(str(found.folder)).name}')}\n"
        f"starting_checkpoint: {quoted(str(path))}   # copied once, when apply first sees this line\n"
    )
    subject = f"Import {Path(str(found.folder)).name} as the start of {name}"
    texts = {f"specs/campaigns/{name}.yaml": text}
    return commit_edits(environment, options, base, texts, subject, committing, _notes(name, found))


def _hero(base: Base, named: str | None) -> str:
    heroes = base.desired.heroes
    if named is not None:
        if named not in heroes:
            raise not_found("hero", named, heroes)
        return named
    if len(heroes) == 1:
        return next(iter(heroes))
    raise Misused(f"say whose weights they are: --hero {' or '.join(sorted(heroes)) or 'ID'}")


def _refuse_other_model(base: Base, hero: str, found: StartFolder) -> None:
    model, source = base.desired.heroes[hero].spec.model, base.desired.heroes[hero]
    locked = found.manifest.locked.model if found.manifest and found.manifest.locked else None
    said = found.model or locked
    if said is None:
        return
    for key in ("architecture", "vocab_size"):
        theirs, ours = getattr(said, key), getattr(model, key)
        if theirs is not None and theirs != ours:
            raise Blocked(
                f"{found.folder}: its {key} is {theirs}, that of hero {hero} is {ours} "
                f"({source.where('model', key)}); name its hero with --hero, or make one: reconcile new hero"
            )


def _notes(name: str, found: StartFolder) -> tuple[str, ...]:
    """Return what a person should know beside the diff."""
    says = SAYS[str(found.producer)]
    notes = [
        f"{found.folder}: {says}, step {found.step:,}, {count(len(found.files), 'file')}, "
        f"{size(found.size_bytes)}; apply copies it and reads the copy back"
    ]
    notes += [f"Newer and passed over: {text}" for text in found.passed_over]
    if found.unused:
        more = ", ..." if len(found.unused) > _MOST_NAMES else ""
        notes.append(
            f"Not used, and not copied: {', '.join(found.unused[:_MOST_NAMES])}{more}; the optimizer begins "
            "afresh"
        )
    return (*notes, f"It is paused. To train it:  specs/realm.yaml: active: {name}")
