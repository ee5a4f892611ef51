"""What should be: every spec, sorted by name, and where each of its values stands."""

import functools
from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from reconciler.desired.base import Spec
from reconciler.desired.campaign import Campaign
from reconciler.desired.dataset import Dataset
from reconciler.desired.hero import Hero
from reconciler.desired.hosts import Host, Hosts
from reconciler.desired.places import Place, Step, span_of
from reconciler.desired.queue import Quest, Queue
from reconciler.desired.realm import Realm
from reconciler.desired.retention import Retention
from reconciler.desired.skill import Skill
from reconciler.desired.training import TrainingSettings

T = TypeVar("T", bound=Spec)


class Source(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One spec and the file it came from."""

    name: str
    """What other specs call it: an id, or `<hero>/<campaign>`; empty for realm and queue."""
    path: str
    """From the repository's top folder."""
    blob_id: str
    """git's name for the file's content."""
    spec: T
    encoded_places: bytes
    """JSON; decoded only when a place is asked for."""

    @property
    def places(self) -> Mapping[str, Place]:
        return _decoded(self.encoded_places)

    def where(self, *path: Step) -> str:
        """Return `specs/heroes/pip.yaml:21` for a key path, or the line of what is around it."""
        line = _line(self.encoded_places, path)
        return f"{self.path}:{line}" if line else self.path


@functools.lru_cache(maxsize=256)
def _line(encoded_places: bytes, path: tuple[Step, ...]) -> int | None:
    """Return the line of a key path: each change of a thousand campaigns names that of its rule."""
    span = span_of(_decoded(encoded_places), path, on_key=True)
    return span.line if span else None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that the command line gives."""

    settings: TrainingSettings
    words: Mapping[str, str]
    """Key path → the words as they were typed, `learning_rate=1e-4`."""

    def word_for(self, path: tuple[str, ...]) -> str:
        """Return the words that gave the setting at this key path, or the first of several that did."""
        key = ".".join(path)
        return next(word for at, word in self.words.items() if at == key or at.startswith(f"{key}."))


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how the command was called: what no commit says, and what decides the last two layers."""

    host: str | None = None
    """Id of this machine in `hosts.yaml`; None: it is not listed, and nothing is different here."""
    said: Said | None = None


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What the specs say at one moment, here. All names that they use exist."""

    realm: Source[Realm]
    queue: Source[Queue] | None
    heroes: Mapping[str, Source[Hero]]
    campaigns: Mapping[str, Source[Campaign]]
    """By `<hero>/<campaign>`."""
    skills: Mapping[str, Source[Skill]]
    retention: Source[Retention] | None = None
    """None: everything is kept."""
    hosts: Source[Hosts] | None = None
    here: Here = Here()
    datasets: Mapping[str, Source[Dataset]] = {}

    @property
    def this_host(self) -> Host | None:
        """Return what hosts.yaml says about this machine."""
        return self.hosts.spec.hosts[self.here.host] if self.hosts and self.here.host else None

    @property
    def quests(self) -> tuple[Quest, ...]:
        """Return the quests in the order of the file."""
        return self.queue.spec.quests if self.queue else ()

    def hero_of(self, campaign: str) -> Source[Hero]:
        """Return the hero of a campaign that is in the specs."""
        return self.heroes[campaign.partition("/")[0]]

    def quest_where(self, index: int, *path: Step) -> str:
        """Return file and line of a quest, by its number in the list."""
        return self.queue.where("quests", index, *path) if self.queue else "specs/queue.yaml"


@functools.lru_cache(maxsize=256)
def _decoded(encoded: bytes) -> dict[str, Place]:
    return msgspec.json.decode(encoded, type=dict[str, Place])
