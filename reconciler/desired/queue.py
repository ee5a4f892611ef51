"""`specs/queue.yaml`: what is to be trained, in order."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.desired.base import DataPath, Id, Record, Spec, Who, Words, is_known
from reconciler.desired.dataset import DatasetId
from reconciler.desired.leakage import AllowedLeakage, check_reasons
from reconciler.desired.places import Finding
from reconciler.desired.skill import skill_id
from reconciler.desired.training import MAX_SEED, RowFields

_SHA256 = "[0-9a-f]{64}"


def _is_sha256(text: str) -> bool:
    return re.fullmatch(_SHA256, text) is not None


Sha256 = Annotated[str, Words("64 lowercase hex digits", _is_sha256, "^[0-9a-f]{64}$")]


class Quest(Record, frozen=True, kw_only=True):
    """One batch to learn: a JSONL file, or a batch that a skill's source makes."""

    id: Id
    """Under one id, file, order and priority may change; the id stays."""
    file: DataPath | None = None
    """JSONL; absolute, or relative to the realm's root or to the top folder of this repository."""
    dataset: DatasetId | None = None
    """What the rows of the file are: one of `specs/datasets/`. Absent: the one declared shape that fits."""
    fields: RowFields | None = None
    """Instead of a dataset: which fields of a row are prompt and answer."""
    sha256: Sha256 | None = None
    """Of the file; any other content is an error."""
    skill: Id | None = None
    """Make the rows with this skill's source instead of reading a file."""
    level: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Level of the problems."""
    count: Annotated[int, Meta(gt=0, le=10_000_000)] | None = None
    """How many problems."""
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] | None = None
    """The same seed makes the same problems; 0 when absent."""
    allow_leakage: AllowedLeakage = msgspec.field(default_factory=dict)
    """What may be learnt although it is measured with: `held-out` or `<skill>-level-<n>` → why. Counts beside
    that of its dataset."""
    on_edit: Literal["refuse", "retrain", "ignore"] = "refuse"
    """When its content is no longer what was taken in: name it and go on with what was taken in, train the
    new content as a whole, or say nothing and go on. Rows added behind are no edit: they are trained, unless
    others were edited."""
    epochs: Annotated[int, Meta(gt=0, le=1000)] = 1
    """How often each row is trained; raising it trains the difference."""
    priority: Literal["high", "normal", "low"] = "normal"
    """Within a priority, the order of this list."""
    for_: tuple[Who, ...] = msgspec.field(name="for", default=())
    """Each campaign named here trains it once; a hero means its active one. Empty: once in all."""

    def __post_init__(self) -> None:
        if is_known(self.skill):
            msgspec.structs.force_setattr(self, "skill", skill_id(self.skill))


class Queue(Spec, frozen=True, kw_only=True):
    """What is to be trained."""

    quests: tuple[Quest, ...] = ()
    """In order; a finished one may stay."""
    healthy_depth: Annotated[int, Meta(ge=0, le=100_000)] = 5
    """With so many jobs waiting or in training the queue is healthy; with fewer `status` says low."""


LATER: dict[str, str] = {}


def check(queue: Queue) -> Iterator[Finding]:
    """Yield what is wrong between keys of a queue."""
    first: dict[str, int] = {}
    for index, quest in enumerate(queue.quests):
        yield from _check_quest(quest, index)
        if quest.id in first:
            message = f'"{quest.id}" is the id of quests[{first[quest.id]}] already'
            yield Finding(
                at=("quests", index, "id"), message=message, hint="give each quest an id of its own"
            )
        first.setdefault(quest.id, index)


def _check_quest(quest: Quest, index: int) -> Iterator[Finding]:
    at = ("quests", index)
    named = f'quest "{quest.id}"' if is_known(quest.id) else "it"
    if (quest.file is None) == (quest.skill is None):
        found = "both file and skill" if quest.file is not None else "neither file nor skill"
        yield Finding(at=at, message=f"{named} has {found}; expected one of them")
        return
    if quest.skill is not None:
        missing = [key for key in ("level", "count") if getattr(quest, key) is None]
        if missing:
            message = f"{named} lacks {' and '.join(missing)}, which a skill needs"
            yield Finding(at=at, message=message)
    foreign = ("dataset", "fields", "sha256") if quest.skill is not None else ("level", "count", "seed")
    wanted = "file" if quest.skill is not None else "skill"
    for key in foreign:
        if getattr(quest, key) is not None:
            yield Finding(at=(*at, key), on_key=True, message=f"{key} goes with {wanted}, which is absent")
    if quest.dataset is not None and quest.fields is not None:
        message = "fields goes without dataset, which says what the rows are"
        yield Finding(at=(*at, "fields"), on_key=True, message=message, hint="keep one of them")
    yield from check_reasons(quest.allow_leakage, *at, "allow_leakage")
    for place, who in enumerate(quest.for_):
        if who in quest.for_[:place]:
            yield Finding(at=(*at, "for", place), message=f'"{who}" stands here twice')
