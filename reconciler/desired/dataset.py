"""`specs/datasets/<id>.yaml`: what the rows of a file are, key by key. What no dataset declares is refused.

Contracts of older systems load too: `kind: jsonl`, and their required_fields say which shape the rows have.
"""

import datetime
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from reconciler.desired.base import Id, Line, Name, Record, Spec, Words, is_known
from reconciler.desired.leakage import AllowedLeakage, check_reasons
from reconciler.desired.places import Finding
from state.contract.orders import RowShape
from state.contract.profiles import ProfileName, RowProfile
from state.contract.row_contracts import RowContract, shape_keys
from state.contract.row_suggestion import SHAPES, matching_kinds
from state.ids import MAX_ID_LENGTH

_OLDER_ID = r"[a-z0-9]+(?:[-._][a-z0-9]+)*"
OLDER_KIND = "jsonl"


def is_dataset_id(text: str) -> bool:
    """Is this the id of a dataset? Older ones have underscores."""
    return len(text) <= MAX_ID_LENGTH and re.fullmatch(_OLDER_ID, text) is not None


DATASET_ID_WORDS = "1 to 64 lowercase letters, digits, and single hyphens, dots or underscores between them"
DatasetId = Annotated[str, Words(DATASET_ID_WORDS, is_dataset_id, "^[a-z0-9]+([-._][a-z0-9]+)*$")]


class DatasetFields(Record, frozen=True, kw_only=True):
    """Which fields of a row are what: prompt and completion, or text."""

    prompt: Name | None = None
    """Field with the question."""
    completion: Name | None = None
    """Field with the answer; only this is learnt."""
    context: Name | None = None
    """Field whose text follows the prompt in the rows that have it."""
    text: Name | None = None
    """Field with plain text; all of it is learnt but its first token."""


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


Day = Annotated[
    str, Words("a day such as 2026-01-31, in quotes or not", _is_date, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
]


class DatasetProfile(Record, frozen=True, kw_only=True):
    """How rows that are conversations are written for training."""

    name: ProfileName
    """`emoji_think`: every other row thinks in signs before its answer; `symbolic`: answers stand between
    <<ANS_START>> and <<ANS_END>>; `plain`: as they are."""
    date: Day | None = None
    """The day that a system message says it is. Without it no text says one; none ever comes from a clock."""


class Dataset(Spec, frozen=True, kw_only=True):
    """What the rows of a file are."""

    id: DatasetId
    """Equals the file's name; an older contract may add `_v` and its version."""
    name: Line | None = None
    """For people."""
    description: str | None = None
    """For people."""
    kind: Literal[
        "messages",
        "prompt_completion",
        "question_answer",
        "user_prompt_assistant_response",
        "instruction",
        "text",
        "fields",
        "jsonl",
    ] = "jsonl"
    """Shape of the rows. `instruction`: instruction, input (may be absent), output; `fields` names its own;
    `jsonl`, of older contracts, leaves it to required_fields."""
    fields: DatasetFields | None = None
    """With kind: fields."""
    row_schema: dict[str, str] = msgspec.field(name="schema", default_factory=dict)
    """Key → what its value is: str, int, float, bool, list, dict or list[...]; all of them may be absent."""
    required_fields: tuple[Name, ...] = ()
    """Keys that each row must have."""
    optional_fields: tuple[Name, ...] = ()
    """Keys that a row may have beside those of its shape; every other key is refused."""
    invariants: tuple[Line, ...] = ()
    """What holds in each row, in the sentences that are understood; others are told and not checked."""
    max_invalid_fraction: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    """Where a quest names this dataset (`dataset:`), so many rows of its file may be invalid; they are left
    out. A share of all rows of the file as it is now: of one that grew, those taken in before count too. A
    torn last row is never left out, nor any of a file whose shape was only recognised, as in the inbox."""
    long_rows: Literal["refuse", "split"] = "refuse"
    """A row of more than max_length tokens is refused by number. `split`, of plain text: it is trained as
    several documents of at most max_length tokens, each beginning with the last token of the one before."""
    profile: DatasetProfile | None = None
    """How the rows are written for training; absent: as they are."""
    allow_leakage: AllowedLeakage = msgspec.field(default_factory=dict)
    """What may be learnt although it is measured with: `held-out` or `<skill>-level-<n>` → why. Everything
    else that asks what is measured with keeps a file from being taken in."""
    skill_id: Id | None = None
    """Older, for people: the skill that makes such rows."""
    eval_leakage_guard: Line | None = None
    """Older; has no effect, and plan says so: see `allow_leakage`."""
    safety_profile: Line | None = None
    """Older; has no effect, and plan says so: rows are judged by keys, types and invariants alone."""
    task_tags: tuple[str, ...] = ()
    """Older, for people: words to find a dataset by."""


def check(dataset: Dataset) -> Iterator[Finding]:
    """Yield what is wrong between keys of a dataset: exactly one shape must come out."""
    if dataset.kind == "fields":
        yield from _check_fields(dataset.fields)
    elif dataset.fields is not None and is_known(dataset.kind):
        message = f"fields goes with kind: fields; kind is {dataset.kind}"
        yield Finding(at=("fields",), on_key=True, message=message, hint="keep one of them")
    if dataset.kind == OLDER_KIND:
        yield from _check_older(dataset)
    yield from check_reasons(dataset.allow_leakage, "allow_leakage")
    yield from _check_long_rows(dataset)
    if (
        is_known(dataset.profile)
        and dataset.profile is not None
        and is_known(dataset.kind)
        and _is_text(dataset)
    ):
        message = "a profile is for conversations; the rows are plain text"
        yield Finding(at=("profile",), on_key=True, message=message, hint="remove it")


def _check_long_rows(dataset: Dataset) -> Iterator[Finding]:
    """Only plain text can be split: half a conversation is another one, and nobody said what it means."""
    if dataset.long_rows == "split" and is_known(dataset.kind) and not _is_text(dataset):
        message = "split goes with plain text; rows that are conversations cannot be split"
        yield Finding(at=("long_rows",), message=message, hint="shorten the rows, or raise max_length")


def _is_text(dataset: Dataset) -> bool:
    return dataset.kind == "text" or bool(is_known(dataset.fields) and getattr(dataset.fields, "text", None))


def _check_fields(fields: DatasetFields | None) -> Iterator[Finding]:
    if fields is None:
        hint = "add  fields: {prompt: <key>, completion: <key>}"
        yield Finding(at=("kind",), message="kind: fields lacks fields", hint=hint)
        return
    is_pair = fields.prompt is not None and fields.completion is not None
    is_text = fields.text is not None
    has_more = (fields.prompt, fields.completion, fields.context) != (None, None, None)
    if is_pair == is_text or (is_text and has_more):
        message = "names no whole shape; expected prompt and completion (and context), or text alone"
        yield Finding(at=("fields",), message=message)


def _check_older(dataset: Dataset) -> Iterator[Finding]:
    kinds = matching_kinds(dataset.required_fields)
    if len(kinds) == 1:
        return
    known = tuple(SHAPES)
    if kinds:
        message = f"required_fields match {len(kinds)} shapes: {', '.join(kinds)}"
        yield Finding(at=("required_fields",), message=message, hint=f"say which one: kind: {kinds[0]}")
    else:
        message = "no shape of rows: required_fields hold none, and kind names none"
        yield Finding(at=("kind",), message=message, known=known, hint="write kind")


def ids_of(stem: str, dataset: Any) -> tuple[str, ...]:
    """Return the ids that the dataset in this file may have."""
    version = getattr(dataset, "version", None)
    return (stem, f"{stem}_v{version}") if version else (stem,)


def shape_of(dataset: Dataset) -> RowShape:
    """Return how the rows of a dataset without mistakes are read, and written for training."""
    shape, profile = _shape_of(dataset), dataset.profile
    if profile is None or (profile.name, profile.date) == ("plain", None):
        return shape
    return msgspec.structs.replace(shape, profile=RowProfile(name=profile.name, date=profile.date))


def _shape_of(dataset: Dataset) -> RowShape:
    kind = dataset.kind
    if kind == OLDER_KIND:
        (kind,) = matching_kinds(dataset.required_fields)  # type: ignore[assignment]  # its names are kinds
    match kind:
        case "messages":
            return RowShape()
        case "text":
            return RowShape(kind="text", text="text", long_rows=dataset.long_rows)
        case "instruction":
            return RowShape(kind="fields", prompt="instruction", context="input", completion="output")
        case "fields":
            return _shape_of_fields(dataset.fields or DatasetFields(), dataset.long_rows)
        case _:
            prompt, completion = SHAPES[kind]
            return RowShape(kind="fields", prompt=prompt, completion=completion)


def _shape_of_fields(fields: DatasetFields, long_rows: Literal["refuse", "split"]) -> RowShape:
    if fields.text is not None:
        return RowShape(kind="text", text=fields.text, long_rows=long_rows)
    return RowShape(kind="fields", prompt=fields.prompt, completion=fields.completion, context=fields.context)


def contract_of(name: str, dataset: Dataset) -> RowContract:
    """Return what a row must be, by a dataset without mistakes; `name` is what quests call it."""
    shape = shape_of(dataset)
    context = (shape.context,) if shape.context else ()
    declared = (*dataset.required_fields, *dataset.optional_fields, *dataset.row_schema)
    return RowContract(
        name=name,
        shape=shape,
        keys=tuple(dict.fromkeys((*shape_keys(shape), *context, *declared))),
        required=dataset.required_fields,
        types=dict(dataset.row_schema),
        invariants=dataset.invariants,
        max_invalid_fraction=dataset.max_invalid_fraction,
    )
