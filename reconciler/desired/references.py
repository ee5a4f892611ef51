"""Names that one spec uses and another defines: each exists, and what spans several files fits together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.desired.base import NO_FORMER_NAME
from reconciler.desired.desired import Source
from reconciler.desired.leakage import level_in
from reconciler.desired.mistakes import nearest_name
from reconciler.desired.places import Finding, KeyPath
from state.ids import RESERVED_HEROES

Sources = Mapping[str, Mapping[str, Source[Any]]]
Names = Mapping[str, Sequence[str]]
Found = Iterator[tuple[Source[Any], Finding]]


def check(sources: Sources, names: Names) -> Found:
    """Yield every wrong name with the spec that uses it.

    `names` holds also those of unreadable files; a spec with mistakes has None for what cannot be read.
    """
    yield from _check_reserved(sources)
    yield from _check_realm(sources, names)
    yield from _check_campaigns(sources, names)
    yield from _check_queue(sources, names)
    yield from _check_retention(sources, names)


def _check_reserved(sources: Sources) -> Found:
    """A hero's folder lies beside what the realm itself keeps among the campaigns."""
    for source in (*sources["hero"].values(), *sources["campaign"].values()):
        hero = source.name.partition("/")[0]
        if hero in RESERVED_HEROES:
            message = f'no hero can be called "{hero}": {RESERVED_HEROES[hero]}'
            hint = "give the hero another id, in its file's name and in the folder of its campaigns too"
            yield source, Finding(at=("id",), message=message, hint=hint)


def _check_realm(sources: Sources, names: Names) -> Found:
    for source in sources["realm"].values():
        active = source.spec.active
        if active is not None and active not in names["campaign"]:
            yield source, _unknown(("active",), active, "a campaign", names["campaign"])
        campaign = sources["campaign"].get(active or "")
        if campaign is not None and campaign.spec.state in ("archived", "deleted"):
            message = f'"{active}" is {campaign.spec.state} ({campaign.where("state")})'
            hint = "name another campaign, or remove that line to restore it"
            yield source, Finding(at=("active",), message=message, hint=hint)


def _check_campaigns(sources: Sources, names: Names) -> Found:
    for source in sources["campaign"].values():
        hero = source.name.partition("/")[0]
        if hero not in names["hero"]:
            message = f'lies in the folder of "{hero}", which is not the id of a hero'
            known = tuple(sorted(names["hero"]))
            yield source, Finding(message=message, known=known, nearest=nearest_name(hero, known))
        yield from _check_former_name(source, sources, names)
        start = source.spec.starting_checkpoint
        if start is not None and start.partition("@")[0] == source.name:
            message = "is a checkpoint of this very campaign"
            hint = "name one of another campaign, or remove the line to begin with the base model"
            yield source, Finding(at=("starting_checkpoint",), message=message, hint=hint)
        for index, skill in enumerate(source.spec.skills_focus):
            if skill is not None and skill not in names["skill"]:
                yield source, _unknown(("skills_focus", index), skill, "the id of a skill", names["skill"])
        if hero in sources["hero"]:
            yield from _check_length(source, sources["hero"][hero])


def _check_former_name(source: Source[Any], sources: Sources, names: Names) -> Found:
    """A campaign has one spec: its former name has none any more, and no second one says that it was it.

    Only where the spec of that name says that it was another campaign itself, the two names are exchanged.
    """
    was = source.spec.was
    if was is None or was == NO_FORMER_NAME:
        return
    if was in names["campaign"] and (was == source.name or not _was_another(was, sources)):
        message, hint = "is this very campaign", "remove this line"
        if was != source.name:
            message = f'"{was}" has a spec of its own'
            hint = "a renamed campaign has one spec: remove that file, or this line"
        yield source, Finding(at=("was",), message=message, hint=hint)
    others = (one for one in sources["campaign"].values() if one.spec.was == was and one.name < source.name)
    if (other := next(others, None)) is not None:
        message = f'"{was}" is what {other.where("was")} was, too'
        yield source, Finding(at=("was",), message=message, hint="only one of them can be it")


def _was_another(name: str, sources: Sources) -> bool:
    source = sources["campaign"].get(name)
    return source is not None and source.spec.was not in (None, name, NO_FORMER_NAME)


def _check_length(campaign: Source[Any], hero: Source[Any]) -> Found:
    """A campaign may shrink the hero's max_length and never grow it."""
    overrides, defaults = campaign.spec.config_overrides, hero.spec.training_defaults
    wanted = overrides.max_length if overrides else None
    own = defaults.max_length if defaults else None
    limit, key = (
        (own, ("training_defaults", "max_length"))
        if own
        else (hero.spec.model.context_length, ("model", "context_length"))
    )
    if wanted is not None and limit is not None and wanted > limit:
        message = f"is {wanted}; it may shrink and never grow: the hero has {limit} ({hero.where(*key)})"
        yield campaign, Finding(at=("config_overrides", "max_length"), message=message)


def _check_queue(sources: Sources, names: Names) -> Found:
    for source in sources["queue"].values():
        for index, quest in enumerate(source.spec.quests):
            at: KeyPath = ("quests", index)
            if quest.skill is not None and quest.skill not in names["skill"]:
                yield source, _unknown((*at, "skill"), quest.skill, "the id of a skill", names["skill"])
            if quest.dataset is not None and quest.dataset not in names["dataset"]:
                at_dataset = (*at, "dataset")
                yield source, _unknown(at_dataset, quest.dataset, "the id of a dataset", names["dataset"])
            for place, who in enumerate(quest.for_):
                if who is None:
                    continue
                kind, words = ("campaign", "a campaign") if "/" in who else ("hero", "the id of a hero")
                if who not in names[kind]:
                    yield source, _unknown((*at, "for", place), who, words, names[kind])
            yield from _check_level(source, at, quest, sources)
            yield from _check_leakage(source, (*at, "allow_leakage"), quest.allow_leakage, names)
    for source in sources["dataset"].values():
        yield from _check_leakage(source, ("allow_leakage",), source.spec.allow_leakage, names)


def _check_retention(sources: Sources, names: Names) -> Found:
    """An accuracy is that in a skill, which must be there."""
    for source in sources["retention"].values():
        for which in ("active", "archived"):
            rules = getattr(source.spec.campaigns, which)
            for index, best in enumerate(rules.keep_best if rules else ()):
                family, _, skill = (best.metric or "").partition("/")
                if family == "accuracy" and skill and skill not in names["skill"]:
                    at: KeyPath = ("campaigns", which, "keep_best", index, "metric")
                    yield source, _unknown(at, skill, "the id of a skill", names["skill"])


def _check_leakage(source: Source[Any], at: KeyPath, allowed: Mapping[str, str], names: Names) -> Found:
    """An examination is that of a skill, which must be there."""
    for name in allowed:
        meant = level_in(name)
        if meant is not None and meant[0] not in names["skill"]:
            yield source, _unknown((*at, name), meant[0], "the id of a skill", names["skill"])


def _check_level(source: Source[Any], at: KeyPath, quest: Any, sources: Sources) -> Found:
    skill = sources["skill"].get(quest.skill or "")
    highest = skill.spec.max_level if skill is not None else None
    if highest is not None and quest.level is not None and quest.level > highest:
        message = f"is {quest.level}; the highest level of {quest.skill} is {highest}"
        yield source, Finding(at=(*at, "level"), message=message)


def _unknown(at: KeyPath, found: str, words: str, names: Sequence[str]) -> Finding:
    known = tuple(sorted(names))
    near = nearest_name(found, known)
    hint = None if known else "there is none yet"
    return Finding(at=at, message=f'"{found}" is not {words}', known=known, nearest=near, hint=hint)
