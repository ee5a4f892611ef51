"""What every kind of spec is made of: the shared keys, and the words for limits of a field.

Kinds are standard dataclasses, so that reading a cached spec needs no pydantic; pydantic checks them when a
file is new and makes the JSON Schemas. A sentence under a field is its description in both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, dataclass_transform

from annotated_types import Len

from state.ids import is_campaign_name, is_id

T = TypeVar("T")
Json = Any
"""Any JSON value: a section of an older file that is carried along."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a frozen dataclass that pydantic reads strictly: no conversions, no unknown keys."""
    cls.__pydantic_config__ = {  # type: ignore[attr-defined]  # a name that pydantic looks for
        "extra": "forbid",
        "strict": True,
        "use_attribute_docstrings": True,
    }
    return dataclass(frozen=True, kw_only=True)(cls)


@dataclass(frozen=True)
class Words:
    """A limit of a text field: what it must be, in words, and the function that decides."""

    expected: str
    is_right: Callable[[str], bool]
    pattern: str | None = None
    """The same as a regular expression, for editors; may allow more than `is_right`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import PydanticCustomError, core_schema  # only while a spec is validated

        def check(text: str) -> str:
            if not self.is_right(text):
                raise PydanticCustomError("words", "{expected}", {"expected": self.expected})
            return text

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        schema = handler(core)
        if self.pattern:
            schema["pattern"] = self.pattern
        return schema


_ID_PATTERN = r"[a-z0-9]+([-.][a-z0-9]+)*"
ID_WORDS = "1 to 64 lowercase letters, digits, and single hyphens or dots between them"
_TIME_WORDS = "a date (2026-12-01) or a time with its zone (2026-12-01T08:00:00Z)"


def as_time(text: str) -> datetime | None:
    """Return a date (its first moment in UTC) or a time with a zone; None when the text is neither."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-12-01"):
        return time.replace(tzinfo=UTC)
    return time.astimezone(UTC) if time.tzinfo is not None else None


def is_who(text: str) -> bool:
    """Is this the name of a hero or of a campaign?"""
    return is_id(text) or is_campaign_name(text)


Id = Annotated[str, Words(ID_WORDS, is_id, f"^{_ID_PATTERN}$")]
CampaignName = Annotated[str, Words("<hero>/<campaign>", is_campaign_name, f"^{_ID_PATTERN}/{_ID_PATTERN}$")]
Who = Annotated[str, Words("<hero> or <hero>/<campaign>", is_who, f"^{_ID_PATTERN}(/{_ID_PATTERN})?$")]
When = Annotated[str, Words(_TIME_WORDS, lambda text: as_time(text) is not None)]
Line = Annotated[str, Words("one line of 1 to 200 characters", lambda text: 0 < len(text) <= 200 and "\n" not in text)]
Name = Annotated[str, Len(1, 200)]


@record
class Suspend:
    """Why and until when nothing is done for this spec."""

    reason: Line
    """Shown wherever the suspended thing is."""
    until: When | None = None
    """A date or a time with its zone; without it, until this section is removed."""


@record
class Spec:
    """The keys that every kind of spec may have."""

    version: Line | None = None
    """The spec's own version, for people."""
    labels: dict[str, str] = field(default_factory=dict)
    """Free words to find things by."""
    suspend: Suspend | None = None
    """Present: the reconciler leaves this thing as it is."""


def suspended_until(suspend: Suspend) -> str | None:
    """Return the moment, in UTC, from which the suspension no longer counts; None when it has no end."""
    time = as_time(suspend.until) if suspend.until else None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
