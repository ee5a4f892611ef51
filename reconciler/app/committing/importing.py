"""`import`: a commit of a new campaign that begins with a folder of other software, or of another realm.

The folder is only looked at. `apply` copies it, reads the copy back, and enters it into the ledger.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.app.committing.new import check_title, used_numbers
from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.spec_edits import Base, Committing, SpecCommit, commit_edits, read_base
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, Misused
from reconciler.app.surroundings.ground import work_tree_of
from reconciler.app.surroundings.place import Options
from reconciler.observed.producers import SAYS
from reconciler.observed.start_folders import observe_start_folder
from reconciler.observed.start_records import StartFolder
from reconciler.plan.campaigns.methods import adapters_without_weights
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
        Blocked: its model is not the hero's, or its adapters lie without the weights below them.
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
            raise base.no_spec("hero", named, heroes)
        return named
    if len(heroes) == 1:
        return next(iter(heroes))
    raise Misused(f"say whose weights they are: --hero {' or '.join(sorted(heroes)) or 'ID'}")


def _refuse_other_model(base: Base, hero: str, found: StartFolder) -> None:
    """Refuse what every plan would: another model by what is said of both, adapters without their weights."""
    source = base.desired.heroes[hero]
    model = source.spec.model
    ours = {"architecture": model.architecture, "vocab_size": model.vocab_size, **model.config}
    for key, theirs in _said_of(found).items():
        if theirs is not None and ours.get(key, theirs) != theirs:
            where = (
                source.where("model", key) if hasattr(model, key) else source.where("model", "config", key)
            )
            raise Blocked(
                f"{found.folder}: its {key} is {theirs}, that of hero {hero} is {ours[key]} "
                f"({where}); name its hero with --hero, or make one: reconcile new hero NAME"
            )
    misfit = adapters_without_weights(found.manifest) if found.manifest is not None else None
    if misfit is not None:
        raise Blocked(f"{found.folder}: {misfit.message}; {misfit.hint}; nothing was committed")


def _said_of(found: StartFolder) -> Mapping[str, Any]:
    """Return the architecture, the vocabulary and the sizes that are said of weights, by their names."""
    if found.manifest is not None and found.manifest.locked is not None:
        model = found.manifest.locked.model
        return {"architecture": model.architecture, "vocab_size": model.vocab_size, **model.config}
    if found.model is None:
        return {}
    said = found.model
    return {"architecture": said.architecture, "vocab_size": said.vocab_size, **said.sizes}


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
