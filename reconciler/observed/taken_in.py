"""What was taken in from the inbox before."""

from collections.abc import Iterable

from state.canonical import sha256_of
from state.contract.contents import KnownPart


class TakenIn:
    """The contents that were taken in from the inbox before, with the key of an answer that rests on them."""

    def __init__(self, parts: Iterable[KnownPart] = ()) -> None:
        self.parts = tuple(sorted(parts, key=lambda part: (part.size_bytes, part.digest)))
        self.key = sha256_of([[part.size_bytes, part.digest] for part in self.parts]) if self.parts else ""


NONE_TAKEN_IN = TakenIn()
