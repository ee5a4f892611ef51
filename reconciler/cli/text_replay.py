"""What a replay found, as text. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import PLAIN, Paint, safe, short_hash
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.replaying.records import Replay


def replay_text(told: "Replay", paint: Paint = PLAIN) -> str:
    """Return from where it was made again, the verdict, and what follows from it."""
    return "\n".join(_lines(told, paint))


def _lines(told: "Replay", paint: Paint) -> Iterator[str]:
    if told.made_from:
        made = count(told.num_checkpoints, "checkpoint")
        yield f"{safe(told.checkpoint)}: made again from {safe(told.made_from)}, {made}."
    yield _verdict(told, paint)
    for one in told.differences:
        yield f"  {safe(one.path)}: {safe(one.found)}"
    for note in told.notes:
        yield f"Note: {safe(note)}."
    if told.put_back is not None:
        yield f"Put back: {safe(told.put_back)}."


def _verdict(told: "Replay", paint: Paint) -> str:
    at = f" at {safe(told.differs_at)}" if told.differs_at else ""
    match told.verdict:
        case "same":
            same = f"{short_hash(told.digest)}: weights, optimizer, random generators, position"
            return paint(f"Same: {same}, to the bit.", "good")
        case "differs":
            made = short_hash(told.made_digest or "")
            return paint(f"Differs{at}: recorded {short_hash(told.digest)}, made {made}.", "bad")
        case "cannot":
            return paint(f"Cannot be made again{at}: {safe(told.why or '')}.", "bad")
