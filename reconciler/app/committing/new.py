"""`new`: a spec with comments that teach; never over a file that is there."""

import re
from pathlib import Path

import msgspec

from reconciler.app.committing.model_hero import model_hero_text
from reconciler.app.committing.scalars import quoted
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused, NotFound
from reconciler.app.surroundings.ground import not_found, store_of, work_tree_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.base import ID_WORDS, is_line
from reconciler.desired.git_process import SourceError
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.observed.derived_files import observe_campaign_folders
from state.ids import RESERVED_HEROES, is_id
from state.layout import Layout

_NUMBER = re.compile(r"campaign-([0-9]{1,6})(?:-archived)?", re.ASCII)
_COMMENT_AT = 38

HERO = """\
# yaml-language-server: $schema=../../schemas/hero.schema.json
{id_line} # equals the file's name
{name_line} # for people
model:                                 # locked: no campaign changes it
  init: scratch                        # weights start at random; or  hf_name: a local path or a cached hub id
  tokenizer: bytes                     # with scratch: built in, no download
  family: qwen3
  architecture: Qwen3ForCausalLM       # the transformers class
  size_b: 0.0013                       # billions of parameters, for people
  vocab_size: 320                      # bytes and a few marks
  context_length: 2048                 # the most that max_length may be, in tokens
  config:                              # sizes, by their names in the transformers config
    {{hidden_size: 160, num_hidden_layers: 4, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 40,
     intermediate_size: 480}}
training_defaults:                     # a campaign's config_overrides may change each of these
  precision: auto                      # bf16 where the device computes it well, else fp32
  batch_size: 8                        # documents in a micro-batch
  gradient_accumulation: 4             # micro-batches in an update: 32 documents
  optimizer: adamw                     # or muon: matrices by Muon, the rest by AdamW
  learning_rate: 2.0e-3                # after the warm-up
  warmup_steps: 20                     # updates
  max_length: 2048                     # tokens; a longer document is refused, never cut
chat: {{template: chatml}}
# suspend: {{reason: waiting for the new card, until: 2030-01-01}}   # nothing is done for it until then
"""

SCHEMA_LINE = "# yaml-language-server: $schema=../../../schemas/campaign.schema.json"
"""The first line of a campaign: where an editor finds what can stand in it."""
CAMPAIGN = (
    f"{SCHEMA_LINE}\n"
    + """\
{id_line} # equals the file's name; the campaign is called <hero>/<id>
name: {name}
# description: What this life is to show.
skills_focus: []                       # ids of skills: each checkpoint is examined in those that say how
goal: {{updates: 2000}}                  # without it, it trains until its quests are done
# starting_checkpoint: {hero}/campaign-001@best   # or @latest, @1500, /a/folder; without: the base model
# milestones: [{{step: 500, note: reads the digits}}]   # kept for ever
# releases: [{{at: 1500, updates: 100}}]   # a short branch whose rate falls, to a checkpoint to hand out
# config_overrides:                    # what differs from the hero; explain --origin shows all
#   learning_rate: 1.0e-3
# state: archived                      # rests in the Hall of Legends; retention.yaml says what stays of it
# To make it the active one, name it in realm.yaml: active: <hero>/<id>
"""
)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written."""

    schema_version: int = 1
    path: str
    name: str
    """What other specs call it."""
    notes: tuple[str, ...] = ()
    """What a person should know."""


def new_hero(environment: Environment, options: Options, hero: str, model: str | None = None) -> Written:
    """Write the spec of a new hero: of a model on this machine, or a tiny one with random weights.

    Raises:
        Misused: the name is no id, or reserved.
        NotFound: the model is not on this machine, or not whole.
        Failed: the model's config.json does not say what a hero must, or its weights do not fill the model.
        Blocked: there is such a file.
    """
    if not is_id(hero):
        raise Misused(f'"{hero}" cannot be the id of a hero; expected {ID_WORDS}')
    if hero in RESERVED_HEROES:
        raise Misused(f'no hero can be called "{hero}": {RESERVED_HEROES[hero]}; choose another id')
    path = work_tree_of(environment, options) / "specs" / "heroes" / f"{hero}.yaml"
    if model is not None:
        text, notes = model_hero_text(environment, layout_of(environment, options), hero, model)
        write_new(path, text)
        return Written(path=str(path), name=hero, notes=notes)
    id_line, name_line = (f"{key}: {hero}".ljust(_COMMENT_AT) for key in ("id", "name"))
    write_new(path, HERO.format(id_line=id_line, name_line=name_line))
    return Written(path=str(path), name=hero)


def new_campaign(environment: Environment, options: Options, hero: str, name: str | None = None) -> Written:
    """Write the spec of the hero's next campaign; a number that was ever used is not used again.

    Raises:
        NotFound: there is no such hero.
        Misused: the name is no single line.
        Blocked: there is such a file.
    """
    top = work_tree_of(environment, options)
    _check_hero(top, hero)
    check_title(name)
    number = 1 + max(used_numbers(environment, options, top, hero), default=0)
    campaign = f"campaign-{number:03d}"
    path = top / "specs" / "campaigns" / hero / f"{campaign}.yaml"
    id_line = f"id: {campaign}".ljust(_COMMENT_AT)
    title = quoted(name or f"Campaign {number}")
    write_new(path, CAMPAIGN.format(id_line=id_line, hero=hero, name=title))
    return Written(path=str(path), name=f"{hero}/{campaign}")


def check_title(title: str | None) -> None:
    """Refuse a name for people that does not fit one line.

    Raises:
        Misused: the name is no single line.
    """
    if title is not None and not is_line(title):
        raise Misused(f"{title!r} cannot be a name: expected one line of 1 to 200 characters")


def used_numbers(environment: Environment, options: Options, top: Path, hero: str) -> set[int]:
    """Return every number that a campaign of the hero has or had: in the specs, the store, on disk."""
    names = [path.stem for path in (top / "specs" / "campaigns" / hero).glob("*.yaml")]
    try:
        layout = layout_of(environment, options)
    except (SourceError, SpecMistakesError):
        layout = None  # no commit yet, or one with mistakes: then only the files are known
    if layout is not None:
        names += _names_in_root(layout, hero)
    return {int(match[1]) for name in names if (match := _NUMBER.fullmatch(name))}


def _names_in_root(layout: Layout, hero: str) -> list[str]:
    found = observe_campaign_folders(layout)
    names = [name.partition("/")[2] for name in found.names if name.partition("/")[0] == hero]
    archive = layout.archive / hero
    names += [path.name for path in archive.iterdir()] if archive.is_dir() else []
    try:
        rows = store_of(layout).campaigns
    except NotFound:
        return names
    had = (name for row in rows for name in (row.name, *row.former))
    return names + [name.partition("/")[2] for name in had if name.partition("/")[0] == hero]


def _check_hero(top: Path, hero: str) -> None:
    heroes = {path.stem for path in (top / "specs" / "heroes").glob("*.yaml") if path.stem[0] != "_"}
    if hero not in heroes:
        raise not_found("hero", hero, heroes)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        Blocked: it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Blocked(f"{path} is there already; nothing was written") from None
