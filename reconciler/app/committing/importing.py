"""`import`: a commit of a new campaign that begins with a folder of other software, or of another realm.

The folder is only looked at. `apply` copies it, reads the copy back, and enters it into the ledger.
"""

from pathlib import Path

from reconciler.app.committing.new import SCHEMA_LINE, check_title, used_numbers
from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.spec_edits import Base, Committing, SpecCommit, commit_edits, read_base
from reconciler.app.committing.weights_fit import check_weights
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, Misused
from reconciler.app.surroundings.ground import work_tree_of
from reconciler.app.surroundings.place import Options
from reconciler.observed.model_records import PretrainedConfig
from reconciler.observed.models import hub_cache_folder, observe_model
from reconciler.observed.producers import SAYS
from reconciler.observed.start_folders import observe_start_folder
from reconciler.observed.start_records import StartFolder
from reconciler.plan.campaigns.methods import adapters_in_a_folder
from reconciler.plan.campaigns.said_models import known_sizes, said_of, unsaid_model
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
        Failed: nothing whole lies there, or nothing to begin with, as weights that do not fill the model.
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
    _refuse_other_model(environment, options, base, hero, found)
    told = check_weights(environment, str(found.folder), "checkpoint") if found.manifest is None else ()
    number = 1 + max(used_numbers(environment, options, work_tree_of(environment, options), hero), default=0)
    name = f"{hero}/campaign-{number:03d}"
    called = quoted(title or f"From {Path(str(found.folder)).name}")
    text = (
        f"{SCHEMA_LINE}\nid: campaign-{number:03d}\nname: {called}\n"
        f"starting_checkpoint: {quoted(str(path))}   # copied once, when apply first sees this line\n"
    )
    subject = f"Import {Path(str(found.folder)).name} as the start of {name}"
    texts = {f"specs/campaigns/{name}.yaml": text}
    return commit_edits(environment, options, base, texts, subject, committing, (*told, *_notes(name, found)))


def _hero(base: Base, named: str | None) -> str:
    heroes = base.desired.heroes
    if named is not None:
        if named not in heroes:
            raise base.no_spec("hero", named, heroes)
        return named
    if len(heroes) == 1:
        return next(iter(heroes))
    raise Misused(f"say whose weights they are: --hero {' or '.join(sorted(heroes)) or 'ID'}")


def _refuse_other_model(
    environment: Environment, options: Options, base: Base, hero: str, found: StartFolder
) -> None:
    """Refuse what every plan would: another model by what is said of both, adapters without their weights."""
    if (misfit := adapters_in_a_folder(found)) is not None:
        raise Blocked(f"{found.folder}: {misfit.message}; {misfit.hint}; nothing was committed")
    if (silent := unsaid_model(found)) is not None:
        raise Failed(f"{found.folder}: {silent.message}; {silent.hint}; nothing was committed")
    source = base.desired.heroes[hero]
    model = source.spec.model
    known = known_sizes(model.config, _pretrained(environment, options, model.hf_name))
    ours = {"architecture": model.architecture, "vocab_size": model.vocab_size, **known}
    for key, theirs in said_of(found).items():
        if theirs is not None and ours.get(key, theirs) != theirs:
            place = (
                (key,) if hasattr(model, key) else ("config", key) if key in model.config else ("hf_name",)
            )
            where = source.where("model", *place)
            raise Blocked(
                f"{found.folder}: its {key} is {theirs}, that of hero {hero} is {ours[key]} "
                f"({where}); name its hero with --hero, or make one: reconcile new hero NAME --model FOLDER"
            )


def _pretrained(environment: Environment, options: Options, name: str | None) -> PretrainedConfig | None:
    """Return what the config.json of the hero's own base says, where it is on this machine."""
    if name is None:
        return None
    layout = layout_of(environment, options)
    hub = hub_cache_folder(environment.variables, environment.home)
    return observe_model(name, (layout.models,), layout.root, hub).config


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
