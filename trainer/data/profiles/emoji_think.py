"""Emoji thinking: half of the rows ask for a few signs of thought before the answer, and a few that end it.

Which rows, which signs and how many follow from the row's place in its file alone: never from a clock, nor
from chance.
"""

import hashlib

from state.contract.quest_rows import Row
from state.contract.row_shapes import Message

THINK = "🤔💭🧠💡🔍🧩"
STOP = "🛑✅🏁🔚"
MOST_THOUGHTS, FEWEST_THOUGHTS = 8, 2
MOST_STOPS, FEWEST_STOPS = 4, 2


def transform(row: Row) -> tuple[Message, ...]:
    """Return the row's turns; every other row thinks before its last answer, as its last question asks."""
    asked = _last(row.messages, "user")
    answered = _last(row.messages, "assistant")
    if row.index % 2 or asked is None or answered is None or answered < asked:
        return row.messages
    thoughts, stops = _signs(row.index)
    turns = list(row.messages)
    turns[asked] = Message("user", f"{turns[asked].content}\n\nThink with {thoughts}, end with {stops}.")
    turns[answered] = Message("assistant", f"{thoughts}\n{turns[answered].content}\n{stops}")
    return tuple(turns)


def _last(messages: tuple[Message, ...], role: str) -> int | None:
    places = [place for place, message in enumerate(messages) if message.role == role]
    return places[-1] if places else None


def _signs(index: int) -> tuple[str, str]:
    """Return 2 to 8 signs of thought and 2 to 4 that end it, each of one kind."""
    drawn = hashlib.sha256(f"emoji_think {index}".encode()).digest()
    thoughts = FEWEST_THOUGHTS + drawn[0] % (MOST_THOUGHTS - FEWEST_THOUGHTS + 1)
    stops = FEWEST_STOPS + drawn[1] % (MOST_STOPS - FEWEST_STOPS + 1)
    return THINK[drawn[2] % len(THINK)] * thoughts, STOP[drawn[3] % len(STOP)] * stops
