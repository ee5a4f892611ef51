"""Profile name → what it makes of a row; and the date that a spec gives, which every profile may say."""

from collections.abc import Callable, Mapping, Sequence

from state.contract.profiles import ProfileName, RowProfile
from state.contract.quest_rows import Row
from state.contract.row_shapes import Message
from trainer.data.profiles import emoji_think, plain, symbolic

Transform = Callable[[Row], tuple[Message, ...]]
PROFILES: Mapping[ProfileName, Transform] = {
    "plain": plain.transform,
    "emoji_think": emoji_think.transform,
    "symbolic": symbolic.transform,
}


def profiled(rows: Sequence[Row], profile: RowProfile | None) -> list[Row]:
    """Return the rows as they are trained; their places stay."""
    if profile is None:
        return list(rows)
    transform = PROFILES[profile.name]
    return [Row(row.index, _dated(transform(row), profile.date)) for row in rows]


def _dated(messages: tuple[Message, ...], date: str | None) -> tuple[Message, ...]:
    """Return the turns with the day in front, in the system's words."""
    if date is None:
        return messages
    today = f"Current date: {date}"
    first, *others = messages
    if first.role == "system":
        return (Message("system", f"{first.content}\n\n{today}"), *others)
    return (Message("system", today), *messages)
