"""The specs that an older root becomes: its hero files as they are, a spec for each campaign."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from reconciler.app.committing.scalars import quoted
from reconciler.app.surroundings.shipped import shipped_specs, spec_files
from reconciler.desired.hero import Hero
from reconciler.desired.skill import skill_id
from reconciler.observed.older_records import OlderCampaign, OlderRoot
from reconciler.plan.migrating.older_config import OlderSettings, model_of_config, overrides, settings_of
from reconciler.plan.migrating.older_root import Decision
from reconciler.plan.migrating.steps import names_of
from state.ids import is_id

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)b", re.IGNORECASE)
_HERO_SETTINGS = (
    "precision",
    "batch_size",
    "gradient_accumulation",
    "learning_rate",
    "warmup_steps",
    "max_length",
)
_MOST_QUEUED = 200


class NewHero(msgspec.Struct, frozen=True, kw_only=True):
    """The hero that a root of one model becomes."""

    id: str
    text: str


def hero_of_config(older: OlderRoot) -> NewHero | None:
    """Return the hero that the root's config.json describes; None: it does not say what a hero must."""
    config = older.config or {}
    locked = config.get("locked")
    locked = locked if isinstance(locked, Mapping) else {}
    name = model_of_config(config)
    hero = _slug(str(config.get("model_name") or name or ""))
    said = [locked.get(key) for key in ("model_architecture", "vocab_size", "max_context_length")]
    if name is None or not is_id(hero) or None in said:
        return None
    architecture, vocab_size, context = said
    settings = settings_of(config, "config.json").values
    length = settings.get("max_length")
    size = _SIZE.search(name)
    lines = [
        "# From the older root's config.json.",
        f"id: {hero}",
        f"name: {quoted(str(config.get('model_display_name') or hero))}",
        "model:",
        f"  hf_name: {quoted(_model_name(config, locked))}",
        f"  family: {str(architecture).removesuffix('ForCausalLM').lower()}",
        f"  architecture: {architecture}",
        *([f"  size_b: {float(size[1])}"] if size else []),
        f"  vocab_size: {vocab_size}",
        f"  context_length: {context}",
        "training_defaults:",
        *(
            f"  {key}: {_scalar(settings[key])}"
            for key in _HERO_SETTINGS
            if key in settings and key != "max_length"
        ),
        *(
            [f"  max_length: {min(length, context)}"]
            if isinstance(length, int) and isinstance(context, int)
            else []
        ),
    ]
    return NewHero(id=hero, text="\n".join(lines) + "\n")


def _model_name(config: Mapping[str, Any], locked: Mapping[str, Any]) -> str:
    """Return the model's hub id where it is said; a path of another machine says nothing here."""
    named = str(config.get("base_model") or config.get("model_path") or "")
    hub = locked.get("base_model")
    return hub if isinstance(hub, str) and (named.startswith("/") or not named) else named


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")


def spec_texts(
    older: OlderRoot, decision: Decision, realm: str, heroes: Mapping[str, Hero], new: NewHero | None
) -> tuple[dict[str, str], list[str]]:
    """Return path → text of every spec, and what of the older settings is not in them."""
    notes: list[str] = []
    texts = dict(base_texts(older, new))
    skills = {
        path.rpartition("/")[2].removesuffix(".yaml") for path in texts if path.startswith("specs/skills/")
    }
    for name in names_of(decision):
        campaign = next((one for one in decision.campaigns if one.name == name), None)
        hero = heroes.get(name.partition("/")[0])
        settings = _settings(older, decision, campaign, name)
        changed, told = overrides(settings, hero.training_defaults if hero else None)
        notes += [*settings.notes, *(f"{name}: {text}" for text in told)]
        text, told = _campaign(name, campaign, changed, skills)
        texts[f"specs/campaigns/{name}.yaml"] = text
        notes += told
    active = f"active: {decision.active}\n" if decision.active else ""
    root = f"root: {quoted(older.disk.root)}\n"
    texts["specs/realm.yaml"] = f"id: {realm}\n{active}{root}"
    texts["specs/queue.yaml"] = "".join(_queue(older))
    return texts, list(dict.fromkeys(notes))


def base_texts(older: OlderRoot, new: NewHero | None) -> Iterator[tuple[str, str]]:
    """Yield the specs that are taken as they are: heroes and skills."""
    for hero, content in sorted(older.heroes.items()):
        yield f"specs/heroes/{hero}.yaml", content.decode("utf-8", "replace")
    if new is not None and not older.heroes:
        yield f"specs/heroes/{new.id}.yaml", new.text
    for path, content in spec_files(shipped_specs()):
        if path == "README.md" or (path.startswith("skills/") and not path.startswith("skills/_")):
            yield f"specs/{path}", content.decode()
    for skill, content in sorted(older.skills.items()):
        yield f"specs/skills/{skill}.yaml", content.decode("utf-8", "replace")


def _settings(
    older: OlderRoot, decision: Decision, campaign: OlderCampaign | None, name: str
) -> OlderSettings:
    """Return what a config.json changes for a campaign: its own, else the root's where it is of its model."""
    if campaign is not None and campaign.config is not None:
        return settings_of(campaign.config, f"{campaign.path}/config.json")
    is_of_config = decision.config_of == name
    return settings_of(older.config, "config.json") if is_of_config and older.config else OlderSettings()


def _campaign(
    name: str, campaign: OlderCampaign | None, changed: Mapping[str, Any], skills: set[str]
) -> tuple[str, list[str]]:
    """Return a campaign's spec, and what of its record is not in it."""
    record = (campaign.record if campaign is not None else None) or {}
    identity = name.partition("/")[2]
    lines, notes = [f"id: {identity}"], []
    title, description = record.get("name"), record.get("description")
    if isinstance(title, str) and title.strip():
        lines.append(f"name: {quoted(' '.join(title.split()))}")
    if isinstance(description, str) and description:
        lines.append(f"description: {quoted(description)}")
    if campaign is not None and campaign.is_archived:
        lines.append("state: archived")
    focus = [str(skill_id(one)) for one in record.get("skills_focus") or () if isinstance(one, str)]
    if missing := [one for one in focus if one not in skills]:
        notes.append(f"{name}: skills_focus {', '.join(missing)} is left out: there is no such skill here")
    if known := [one for one in focus if one in skills]:
        lines.append(f"skills_focus: [{', '.join(known)}]")
    milestones = list(_milestones(record))
    lines += ["milestones:", *milestones] if milestones else []
    if changed:
        lines.append("config_overrides:")
        lines += [f"  {key}: {_scalar(value)}" for key, value in sorted(changed.items())]
    return "\n".join(lines) + "\n", notes


def _milestones(record: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for one in record.get("milestones") or ():
        step = one.get("step") if isinstance(one, Mapping) else None
        if not isinstance(step, int) or step < 1 or step in seen:
            continue
        seen.add(step)
        note, date = one.get("note"), one.get("date")
        parts = [
            f"step: {step}",
            *([f"note: {quoted(note)}"] if isinstance(note, str) and note.strip() else []),
        ]
        if isinstance(date, str) and _is_date(date):
            parts.append(f"date: {quoted(date)}")
        yield f"  - {{{', '.join(parts)}}}"


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _queue(older: OlderRoot) -> Iterator[str]:
    """Yield the queue: what waited in the older one, as lines to be taken in when a person wants them."""
    if not older.queued:
        yield "quests: []\n"
        return
    yield "quests: []\n# What waited in the older queue. To train it, write these lines under quests:\n"
    for path in older.queued[:_MOST_QUEUED]:
        priority = path.split("/")[1] if path.count("/") > 1 else "normal"
        stem = _slug(path.rpartition("/")[2].removesuffix(".jsonl"))[:60].strip("-.")
        yield f"#  - {{id: {stem}, file: {quoted(path)}, priority: {priority}}}\n"
    if len(older.queued) > _MOST_QUEUED:
        yield f"# and {len(older.queued) - _MOST_QUEUED} more in queue/\n"


def _scalar(value: Any) -> str:
    return msgspec.json.encode(value).decode()
