"""Tokenizers that are there and cannot be loaded: found where rows are looked through, kept by content.

The trainer's process is the one that can tell. What it said is kept under the digest of the tokenizer's
files, so a file that was put right is another tokenizer; and `apply` asks anew in each process, since another
version of the trainer's libraries may load what this one cannot.
"""

from collections.abc import Callable

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.plan.world import World
from state.kept_answers import KeptAnswers

_KIND = "unusable-tokenizer-1"


class TokenizerVerdicts:
    """What the trainer said of tokenizers, by the digest of their files."""

    def __init__(self, environment: Environment) -> None:
        self._answers = KeptAnswers(environment.cache_folder / "facts")

    def of(self, digest: str) -> str | None:
        """Return why a tokenizer cannot be used; None when it can, or nobody has looked."""
        known = self._answers.get(f"{_KIND}\0{digest}")
        return known.decode() if known else None

    def refuse(self, digest: str, why: str) -> None:
        """Remember why a tokenizer cannot be used."""
        self._answers.put(f"{_KIND}\0{digest}", why.encode())

    def accept(self, digest: str) -> None:
        """Forget what was said of a tokenizer that can be used."""
        if self.of(digest) is not None:
            self._answers.put(f"{_KIND}\0{digest}", b"")


def with_unusable_tokenizers(world: World, verdict: Callable[[str], str | None]) -> World:
    """Return the world with the heroes whose tokenizer cannot be loaded."""
    digests = {hero: seen.tokenizer_digest for hero, seen in world.facts.models.items()}
    found = {hero: why for hero, digest in digests.items() if digest and (why := verdict(digest)) is not None}
    if not found:
        return world
    return msgspec.structs.replace(
        world, facts=msgspec.structs.replace(world.facts, unusable_tokenizers=found)
    )
