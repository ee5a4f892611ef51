"""`explain`: what a thing is, what the plan would do about it, the smallest set of things in its way."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from reconciler.app.axes import concerns
from reconciler.app.environment import Environment
from reconciler.app.errors import Misused
from reconciler.app.get import SINGULAR, listing_of, source_of
from reconciler.app.ground import not_found
from reconciler.app.in_force import look_in_force
from reconciler.app.items import Item
from reconciler.app.origins import Origin, origins_of
from reconciler.app.place import Options
from reconciler.app.plan_document import PlannedChange, document_of
from reconciler.app.planning import View
from reconciler.app.status import status_of
from reconciler.desired.mistakes import nearest_name
from reconciler.plan.changes import Blocked
from state.ids import is_campaign_name

KINDS = ("campaign", "hero", "quest", "skill", "realm")
_PLAIN_NAMES = {
    "size_b": "billions of parameters",
    "num_campaigns": "campaigns",
    "num_checkpoints": "checkpoints",
    "checkpoint_bytes": "bytes of checkpoints",
    "num_quests": "quests",
    "max_level": "highest level",
    "goal_updates": "goal (updates)",
    "is_for": "for",
}
"""Fields whose names are not what a person would say."""
_MOST_MEANT = 3


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One line about the thing."""

    name: str
    text: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one thing."""

    schema_version: int = 1
    thing: str
    where: str | None
    """Its spec; null when it has none."""
    complaint: str | None = None
    """The specs checked out have mistakes; this is by those of an earlier commit."""
    facts: tuple[Fact, ...]
    changes: tuple[PlannedChange, ...]
    """What apply would do about it, in its order."""
    blocked: tuple[Blocked, ...]
    """What keeps it from happening, nearest first; empty when nothing does."""
    settings: tuple[Origin, ...] = ()
    """With --origin: every resolved setting."""


def explain(
    environment: Environment, options: Options, name: str, *, origin: bool = False, worktree: bool = False
) -> Explanation:
    """Return what a thing is, what would happen to it and what is in its way.

    A bare word that only one thing has as its last part means that thing.

    Raises:
        Misused: this is no name of a thing, or it has no settings to show the origin of.
        NotFound: there is no such thing.
    """
    found = named(name)
    _check_has_settings(found, origin=origin)
    view = look_in_force(environment, options, worktree=worktree)
    if found is None:
        found = _meant(view, name)
        _check_has_settings(found, origin=origin)
    return explanation_of(view, *found, origin=origin)


def _check_has_settings(found: tuple[str, str] | None, *, origin: bool) -> None:
    if origin and found is not None and found[0] not in ("campaign", "hero"):
        raise Misused(f"--origin shows the settings of a campaign, not of a {found[0]}")


def named(name: str) -> tuple[str, str] | None:
    """Return kind and id in `campaign/<hero>/<id>`, `<hero>/<id>`, `quest/<id>`, `hero/<id>`, `realm`.

    What a plan says that it is about counts, too: a run or a checkpoint means its campaign, the queue and the
    root mean the realm. None: it is none of these.
    """
    kind, slash, rest = name.partition("/")
    kind = SINGULAR.get(kind, kind)
    if name in ("realm", "queue", "root"):
        return "realm", ""
    if kind in ("run", "checkpoint") and "/" in rest:
        return "campaign", "/".join(rest.partition("@")[0].split("/")[:2])
    if kind in KINDS and rest and kind != "realm" and (kind != "campaign" or "/" in rest):
        return kind, rest
    if slash and kind not in KINDS and is_campaign_name(name):
        return "campaign", name
    return None


def _meant(view: View, name: str) -> tuple[str, str]:
    """Return kind and id of the one thing that a bare word means.

    Raises:
        Misused: it means none, or several; names those.
    """
    things = _things(view)
    meant = [thing for thing in things if thing.rpartition("/")[2] == name]
    found = named(meant[0]) if len(meant) == 1 else None
    if found is None:
        raise _names_nothing(things, name)
    return found


def _things(view: View) -> list[str]:
    desired = view.desired
    return [
        *(f"quest/{quest.id}" for quest in desired.quests),
        *(f"hero/{hero}" for hero in desired.heroes),
        *desired.campaigns,
        *(f"skill/{skill}" for skill in desired.skills),
    ]


def _names_nothing(things: Sequence[str], name: str) -> Misused:
    """Return the error for a word that is no name of a thing, with the things that it may mean."""
    text = (
        f'"{name}" names no thing; expected realm, quest/<id>, hero/<id>, skill/<id>, '
        "campaign/<hero>/<id> or <hero>/<id>"
    )
    meant = [thing for thing in things if thing.endswith(f"/{name}")]
    near = nearest_name(name, [*things, *(thing.rpartition("/")[2] for thing in things)])
    meant = meant or [thing for thing in things if near in (thing, thing.rpartition("/")[2])]
    return Misused(f"{text}; did you mean {' or '.join(meant[:_MOST_MEANT])}?" if meant else text)


def explanation_of(view: View, kind: str, name: str, *, origin: bool = False) -> Explanation:
    """Return all that a view knows about a thing."""
    _check_there(view, kind, name)
    thing = f"{kind}/{name}" if name else kind
    document = document_of(view)
    return Explanation(
        thing=thing,
        where=_where(view, kind, name),
        complaint=view.complaint,
        facts=tuple(_facts(view, kind, name)),
        changes=tuple(one for one in document.changes if _is_about(one, kind, name)),
        blocked=_in_the_way(view, kind, name),
        settings=_settings(view, kind, name) if origin else (),
    )


def _check_there(view: View, kind: str, name: str) -> None:
    desired = view.desired
    known: dict[str, set[str]] = {
        "campaign": {*desired.campaigns, *(row.name for row in view.facts.store.campaigns)},
        "hero": set(desired.heroes),
        "skill": set(desired.skills),
        "quest": {quest.id for quest in desired.quests},
        "realm": {""},
    }
    if name not in known[kind]:
        raise not_found(kind, name, known[kind])


def _where(view: View, kind: str, name: str) -> str | None:
    desired = view.desired
    if kind == "realm":
        return desired.realm.path
    if kind == "quest":
        return desired.quest_where(_place(view, name))
    sources: dict[str, Any] = {
        "campaign": desired.campaigns,
        "hero": desired.heroes,
        "skill": desired.skills,
    }
    source = sources[kind].get(name)
    return source.path if source is not None else None


def _place(view: View, quest: str) -> int:
    return next(place for place, one in enumerate(view.desired.quests) if one.id == quest)


def _is_about(change: PlannedChange, kind: str, name: str) -> bool:
    match kind:
        case "realm":
            return True
        case "campaign":
            return concerns(change.action, change.subject, name)
        case "hero":
            campaign = getattr(change.action, "campaign", None)
            return change.subject == f"hero/{name}" or (campaign or "").partition("/")[0] == name
        case _:
            return change.subject == f"{kind}/{name}"


def _in_the_way(view: View, kind: str, name: str) -> tuple[Blocked, ...]:
    """Return the thing's own blockers, and those of what it waits for."""
    if kind == "realm":
        return view.plan.blocked
    subjects = dict.fromkeys([f"{kind}/{name}", *_waits_for(view, kind, name)])
    found = [item for subject in subjects for item in view.plan.blocked if _concerns(item.subject, subject)]
    if kind == "campaign" and (inactive := _not_active(view, name)) is not None:
        found.insert(0, inactive)
    unique: dict[tuple[str, str], Blocked] = {}
    for item in found:
        unique.setdefault((item.code, item.message), item)
    return tuple(unique.values())


def _concerns(subject: str, thing: str) -> bool:
    """Is a blocker with this subject about the thing? Those of its checkpoints and runs are a campaign's."""
    name = thing.removeprefix("campaign/")
    return subject == thing or subject.startswith((f"checkpoint/{name}@", f"run/{name}"))


def _waits_for(view: View, kind: str, name: str) -> Iterator[str]:
    """Yield the things without which this one does not happen."""
    if kind == "campaign":
        yield f"hero/{name.partition('/')[0]}"
        for job in view.facts.store.jobs:
            if f"{job.hero_id}/{job.campaign_id}" == name and job.status not in ("completed", "skipped"):
                yield f"quest/{job.quest_id}"
    elif kind == "quest":
        quest = view.desired.quests[_place(view, name)]
        active = view.desired.realm.spec.active
        for who in quest.for_ or ((active,) if active else ()):
            if "/" in who:
                yield f"campaign/{who}"
            yield f"hero/{who.partition('/')[0]}"


def _not_active(view: View, name: str) -> Blocked | None:
    active = view.desired.realm.spec.active
    if active == name or name not in view.desired.campaigns:
        return None
    said = f"realm.yaml names {active}" if active else "realm.yaml names no active campaign"
    return Blocked(
        subject=f"campaign/{name}",
        code="not-active",
        message=f"it does not train: {said}",
        cause=view.desired.realm.where("active"),
        hint=f"realm.yaml: active: {name}",
    )


def _facts(view: View, kind: str, name: str) -> Iterator[Fact]:
    if kind == "realm":
        yield from _realm_facts(view)
        return
    if kind == "quest":
        yield Fact(name="rows", text=source_of(view.desired.quests[_place(view, name)]))
        yield from _progress_facts(view, name)
    many = {"campaign": "campaigns", "hero": "heroes", "quest": "quests", "skill": "skills"}[kind]
    for item in listing_of(view, many, name).items:
        yield from _item_facts(item)


def _progress_facts(view: View, quest: str) -> Iterator[Fact]:
    """Yield which run trains the quest now, and how far it has come."""
    for one in status_of(view).campaigns:
        run = one.run
        if run is not None and run.quest_id == quest:
            loss = f", loss {run.loss:.3f}" if run.loss is not None else ""
            far = f"{run.quest_update or 0:,}/{run.quest_updates or 0:,}{loss}"
            yield Fact(name=run.phase, text=f"{far}, by {one.name} {run.run} on {run.device}")


def _realm_facts(view: View) -> Iterator[Fact]:
    realm = view.desired.realm.spec
    yield Fact(name="id", text=realm.id)
    yield Fact(name="root", text=view.plan.root)
    yield Fact(name="active", text=realm.active or "no campaign")
    yield Fact(name="specs", text=view.commit.name)


def _item_facts(item: Item) -> Iterator[Fact]:
    """Yield what a record says, in its own words; what is empty, and what is told elsewhere, is left out."""
    for field in item.__struct_fields__:
        value = getattr(item, field)
        if field in ("id", "spec", "message", "blocked", "source") or value in (None, "", (), False):
            continue
        text = _said(field, value)
        name = _PLAIN_NAMES.get(field) or field.removeprefix("is_").replace("_", " ")
        yield Fact(name=name, text="yes" if value is True else text)


def _said(field: str, value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not field.endswith("_bytes") else str(value)


def _settings(view: View, kind: str, name: str) -> tuple[Origin, ...]:
    campaign = name if kind == "campaign" else _campaign_of(view, name)
    if campaign not in view.desired.campaigns:
        raise Misused(f"{kind}/{name} has no spec whose settings could be shown")
    return origins_of(view, campaign)


def _campaign_of(view: View, hero: str) -> str:
    """Return the campaign whose settings stand for a hero's: the active one, else its first."""
    mine = [name for name in view.desired.campaigns if name.partition("/")[0] == hero]
    active = view.desired.realm.spec.active
    return active if active in mine else (mine[0] if mine else "")
