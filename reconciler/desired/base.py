"""What every kind of spec is made of: the shared keys, and the words for limits of a field.

Kinds are msgspec records: made in microseconds, so that a command that reads cached specs starts at once.
`models` makes a pydantic model of each when a file is new, to find all its mistakes, and for the JSON
Schemas. A sentence under a field is its description there.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from state.ids import is_campaign_name, is_id

Json = Any
"""Any JSON value: a section of an older file that is carried along."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a spec."""


class Words:
    """A limit of a text field: what it must be, in words, and the function that decides."""

    __slots__ = ("expected", "is_right", "pattern")

    def __init__(self, expected: str, is_right: Callable[[str], bool], pattern: str | None = None) -> None:
        self.expected = expected
        self.is_right = is_right
        self.pattern = pattern
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
NO_FORMER_NAME = "none"
"""What `was` says of a campaign that is no other one under a new name."""
MAX_LINE = 200
MAX_PATH = 4096
_TIME_WORDS = "a date (2026-12-01) or a time with its zone (2026-12-01T08:00:00Z)"


def is_known(*values: object) -> bool:
    """Can all these values be read? While a spec has mistakes, a check sees UNSET for what is wrong."""
    return msgspec.UNSET not in values


def as_time(text: str) -> datetime | None:
    """Return a date (its first moment in UTC) or a time with a zone; None when the text is neither.

    Nor is it a time if it is none in UTC: the last hours of the year 9999 in Hawaii are.
    """
    try:
        time = datetime.fromisoformat(text)
        if len(text) == len("2026-12-01"):
            return time.replace(tzinfo=UTC)
        return time.astimezone(UTC) if time.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def is_who(text: str) -> bool:
    """Is this the name of a hero or of a campaign?"""
    return is_id(text) or is_campaign_name(text)


def is_line(text: str) -> bool:
    """Is this one line of a length that fits a screen?"""
    return 0 < len(text) <= MAX_LINE and "\n" not in text


def is_folder_path(text: str) -> bool:
    """Is this the path of a folder from the top, that climbs out of nothing?"""
    plain = text.startswith("/") and text.isprintable() and len(text) <= MAX_PATH
    return plain and text.strip("/") != "" and ".." not in text.split("/")


def is_identifier(text: str) -> bool:
    """Is this a name as Python and transformers have them?"""
    return text.isascii() and text.isidentifier() and len(text) <= MAX_LINE


def is_data_path(text: str) -> bool:
    """Is this a path of data, absolute or relative, that climbs out of nothing?"""
    fits = 0 < len(text) <= MAX_PATH and text.isprintable() and text == text.strip()
    return fits and ".." not in text.split("/") and not text.startswith("~")


Id = Annotated[str, Words(ID_WORDS, is_id, f"^{_ID_PATTERN}$")]
CampaignName = Annotated[str, Words("<hero>/<campaign>", is_campaign_name, f"^{_ID_PATTERN}/{_ID_PATTERN}$")]
FormerName = Annotated[
    str,
    Words(
        "<hero>/<campaign>, or none",
        lambda text: text == NO_FORMER_NAME or is_campaign_name(text),
        f"^(none|{_ID_PATTERN}/{_ID_PATTERN})$",
    ),
]
Who = Annotated[str, Words("<hero> or <hero>/<campaign>", is_who, f"^{_ID_PATTERN}(/{_ID_PATTERN})?$")]
When = Annotated[str, Words(_TIME_WORDS, lambda text: as_time(text) is not None)]
Line = Annotated[str, Words(f"one line of 1 to {MAX_LINE} characters", is_line)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_LINE)]
DataPath = Annotated[str, Words("a path that can be printed, without .. or ~", is_data_path)]
FolderPath = Annotated[str, Words("the absolute path of a folder, without ..", is_folder_path, "^/")]
Identifier = Annotated[
    str, Words("a name of letters, digits and _", is_identifier, "^[A-Za-z_][A-Za-z0-9_]*$")
]


class Suspend(Record, frozen=True, kw_only=True):
    """Why and until when nothing is done for this spec."""

    reason: Line
    """Shown wherever the suspended thing is."""
    until: When | None = None
    """A date or a time with its zone; without it, until this section is removed."""
    by: Line | None = None
    """Who says so; shown beside the reason."""

    @property
    def words(self) -> str:
        """Return `suspended by ada until 2026-12-01: waiting for the new card`."""
        who = f" by {self.by}" if self.by else ""
        until = f" until {self.until}" if self.until else ""
        return f"suspended{who}{until}: {self.reason}"


class Spec(Record, frozen=True, kw_only=True):
    """The keys that every kind of spec may have."""

    version: Line | None = None
    """The spec's own version, for people."""
    labels: dict[str, str] = {}
    """Free words to find things by."""
    suspend: Suspend | None = None
    """Present: the reconciler leaves this thing as it is."""


def suspended_until(suspend: Suspend) -> str | None:
    """Return the moment, in UTC, from which the suspension no longer counts; None when it has no end."""
    time = as_time(suspend.until) if suspend.until else None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
