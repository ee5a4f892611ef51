"""The kinds of spec, and which place in the repository says which kind.

A new kind is a module like `campaign` (a record, LATER, check) and one line in KINDS.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from reconciler.desired import campaign, dataset, hero, hosts, queue, realm, retention, skill
from reconciler.desired.base import ID_WORDS, Record
from reconciler.desired.mistakes import Mistake, nearest_name
from reconciler.desired.places import Finding
from state.ids import is_id

SPECS = "specs"
SUFFIX = ".yaml"
_OTHER_YAML = (".yml", ".json", ".toml")
_NOT_SPECS = (".md", ".txt", ".png", ".jpg", ".jpeg", ".svg", ".webp")
_SHOWN = 80


def _stem_alone(stem: str, _spec: Any) -> tuple[str, ...]:
    return (stem,)


class Kind(msgspec.Struct, frozen=True):
    """One kind of spec."""

    name: str
    type: type[Record]
    place: str
    """Below `specs/`: a file name, or a pattern of folders."""
    check: Callable[[Any], Iterator[Finding]]
    """What is wrong between the keys of one spec whose keys are right by themselves."""
    later: Mapping[str, str] = {}
    """Keys that the design has and this version does not → what they are for."""
    number_keys_under: frozenset[str] = frozenset()
    """Top keys under which older files have numbers as keys."""
    hints: Mapping[tuple[str, str], str] = {}
    """Key path and wrong value → what to do instead."""
    is_name: Callable[[str], bool] = is_id
    """May a file or folder of this kind be called so?"""
    ids_of: Callable[[str, Any], tuple[str, ...]] = _stem_alone
    """From a file's stem and its spec: the ids that it may have; the first is the usual one."""


REALM = Kind("realm", realm.Realm, "realm.yaml", realm.check, realm.LATER)
QUEUE = Kind("queue", queue.Queue, "queue.yaml", queue.check, queue.LATER)
HERO = Kind("hero", hero.Hero, "heroes/<id>.yaml", hero.check)
CAMPAIGN = Kind(
    "campaign",
    campaign.Campaign,
    "campaigns/<hero>/<id>.yaml",
    campaign.check,
    campaign.LATER,
    hints=campaign.HINTS,
)
SKILL = Kind("skill", skill.Skill, "skills/<id>.yaml", skill.check, {}, skill.NUMBER_KEYS_UNDER)
HOSTS = Kind("hosts", hosts.Hosts, "hosts.yaml", hosts.check, hosts.LATER, hosts.NUMBER_KEYS_UNDER)
RETENTION = Kind("retention", retention.Retention, "retention.yaml", retention.check, retention.LATER)
DATASET = Kind(
    "dataset",
    dataset.Dataset,
    "datasets/<id>.yaml",
    dataset.check,
    is_name=dataset.is_dataset_id,
    ids_of=dataset.ids_of,
)
KINDS = (REALM, QUEUE, RETENTION, HOSTS, HERO, CAMPAIGN, SKILL, DATASET)

_SINGLETONS = {kind.place: kind for kind in (REALM, QUEUE, RETENTION, HOSTS)}
_FOLDERS = {"heroes": (HERO, 1), "campaigns": (CAMPAIGN, 2), "skills": (SKILL, 1), "datasets": (DATASET, 1)}
"""Folder → its kind, and how many ids follow it."""


class PlacedSpec(msgspec.Struct, frozen=True):
    """What a path says about the spec in it."""

    kind: Kind
    name: str
    """What other specs call it; empty for the kinds of which there is one."""


class BadPlaceError(Exception):
    """A file under `specs/` that is no spec of a known kind; `mistake` says why."""

    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake
        super().__init__(f"{mistake.where}: {mistake.sentence}")


def place_of(path: str) -> PlacedSpec | None:
    """Return the kind and name that a path from the repository's top says; None for a file that is no spec.

    Raises:
        BadPlaceError: an unknown kind, a name that is no id, a suffix that only looks like a spec's.
    """
    parts = path.split("/")[1:]
    if ".." in parts or "." in parts:
        raise BadPlaceError(Mistake(path=shown(path), message="leaves the folder it is in"))
    if any(part.startswith(("_", ".")) for part in parts) or path.lower().endswith(_NOT_SPECS):
        return None
    if not path.endswith(SUFFIX):
        raise _bad_suffix(path)
    inside = "/".join(parts)
    if inside in _SINGLETONS:
        return PlacedSpec(_SINGLETONS[inside], "")
    kind, num_ids = _FOLDERS.get(parts[0], (None, 0))
    if kind is None or len(parts) != num_ids + 1:
        raise _unknown_place(path, parts, kind)
    names = [*parts[1:-1], parts[-1].removesuffix(SUFFIX)]
    for name in names:
        if not kind.is_name(name):
            raise BadPlaceError(Mistake(path=shown(path), message=_bad_name(name)))
    return PlacedSpec(kind, "/".join(names))


def shown(text: str) -> str:
    """Return a name for showing: unprintable characters escaped, long ones shortened."""
    safe = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return safe if len(safe) <= _SHOWN * 3 else f"{safe[:_SHOWN]}...{safe[-20:]}"


def bad_id(name: str) -> str:
    """Return what is wrong with an id, in words."""
    if len(name) > _SHOWN:
        return f"an id of {len(name)} characters; expected {ID_WORDS}"
    if not name.isascii():
        odd = next(char for char in name if not char.isascii())
        return (
            f'"{shown(name)}" holds {odd!a} (U+{ord(odd):04X}), which is no ASCII letter; expected {ID_WORDS}'
        )
    return f'"{shown(name)}" is no id; expected {ID_WORDS}'


def _bad_name(name: str) -> str:
    return f"the file's or folder's name: {bad_id(name)}"


def _bad_suffix(path: str) -> BadPlaceError:
    if path.lower().endswith((SUFFIX, *_OTHER_YAML)):
        hint = f"rename it so that it ends in {SUFFIX}"
    else:
        hint = "move it out of specs/, or let its name start with _"
    return BadPlaceError(Mistake(path=shown(path), message=f"is no spec: specs end in {SUFFIX}", hint=hint))


def _unknown_place(path: str, parts: list[str], kind: Kind | None) -> BadPlaceError:
    known = tuple(sorted(one.place for one in KINDS))
    if kind is not None:
        message = f"a {kind.name} lies at {SPECS}/{kind.place}"
        return BadPlaceError(Mistake(path=shown(path), message=message))
    heads = {
        **{folder: one[0].place for folder, one in _FOLDERS.items()},
        **{name: name for name in _SINGLETONS},
    }
    near = nearest_name(parts[0], heads)
    return BadPlaceError(
        Mistake(
            path=shown(path),
            message=f"this version knows no kind of spec at {shown(path)}",
            known=known,
            nearest=heads[near] if near else None,
        )
    )
