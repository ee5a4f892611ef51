"""`orders.json`: the quests to do next. Replaced by the reconciler, read at update and quest boundaries."""

from typing import Literal

import msgspec

from state.contract.profiles import RowProfile
from state.contract.run_config import RunConfig


class RowShape(msgspec.Struct, frozen=True, kw_only=True):
    """How one line of a quest is read."""

    kind: Literal["messages", "fields", "text"] = "messages"
    prompt: str | None = None
    """Name of the field with the prompt, for kind `fields`."""
    completion: str | None = None
    """Name of the field with the answer, for kind `fields`."""
    context: str | None = None
    """Name of a field whose text follows the prompt where a row has it, for kind `fields`."""
    text: str | None = None
    """Name of the field with the text, for kind `text`: all of it is learnt but its first token."""
    long_rows: Literal["refuse", "split"] = "refuse"
    """A text of more than max_length tokens: not trained, or trained as several documents."""
    profile: RowProfile | None = None
    """How rows are written for training; None: as they are."""


def reading(shape: RowShape) -> dict[str, str | None]:
    """Return a shape for hashing: what earlier versions did not know appears only where it says something."""
    later = {"context": shape.context, "text": shape.text}
    known = {"kind": shape.kind, "prompt": shape.prompt, "completion": shape.completion}
    later |= {"long_rows": shape.long_rows if shape.long_rows != "refuse" else None}
    if shape.profile is not None:
        later |= {"profile": shape.profile.name, "profile_date": shape.profile.date}
    return known | {name: value for name, value in later.items() if value is not None}


class QuestOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One quest to train: which content, how, how often."""

    quest_id: str
    job_uid: str
    digest: str
    """SHA-256 of the snapshot's bytes."""
    path: str
    num_rows: int
    shape: RowShape
    epochs: int
    priority: Literal["high", "normal", "low"]
    origin: str | None = None
    """What a person calls the content: the file that it was taken from."""
    first_row: int = 0
    """Of the person's file: so many rows stand before this part of it."""


class ConfigInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The config that a running trainer is to train with from its next update on: a live change.

    It is whole, so that its hash can be checked; it may differ from what the run was launched with only in
    keys of the classes `no-op` and `live`.
    """

    generation: int
    """Its number among the campaign's configs. The run keeps the key that it was launched with."""
    config: RunConfig
    config_hash: str
    specs_commit: str
    """The commit that said so."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    sequence: int
    """Grows with every change of the orders of a run."""
    quests: tuple[QuestOrder, ...]
    """In the order in which they are to be trained."""
    goal_updates: int | None = None
    """Leave when the campaign has made so many updates."""
    goal_tokens: int | None = None
    """Or learnt so many tokens."""
    goal_quests: int | None = None
    """Or learnt so many quests to the end."""
    pause: bool = False
    """Save, then wait with the model loaded."""
    stop: str | None = None
    """Save and leave at the next update boundary; the text says why."""
    save: int = 0
    """Save at the next update boundary and go on, once for each number greater than those before; 0: no."""
    config: ConfigInForce | None = None
    """None: as request.json says."""
