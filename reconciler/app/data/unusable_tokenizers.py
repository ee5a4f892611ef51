"""Tokenizers that cannot be loaded, or are larger than their model: found where rows are looked through.

The trainer's process is the one that can tell. What it said is kept under the digest of the tokenizer's files
and the size of the model's vocabulary, so a file that was put right is another tokenizer; and `apply` asks
anew in each process, since another version of the trainer's libraries may load what this one cannot.
"""

from collections.abc import Callable

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.plan.world import World
from state.kept_answers import KeptAnswers

_KIND = "unusable-tokenizer-2"


class TokenizerVerdicts:
    """What the trainer said of tokenizers, by the digest of their files and the model's vocabulary."""

    def __init__(self, environment: Environment) -> None:
        self._answers = KeptAnswers(environment.cache_folder / "facts")

    def of(self, digest: str, vocab_size: int | None) -> str | None:
        """Return why a tokenizer cannot be used; None when it can, or nobody has looked."""
        known = self._answers.get(_key(digest, vocab_size))
        return known.decode() if known else None

    def refuse(self, digest: str, vocab_size: int | None, why: str) -> None:
        """Remember why a tokenizer cannot be used."""
        self._answers.put(_key(digest, vocab_size), why.encode())

    def accept(self, digest: str, vocab_size: int | None) -> None:
        """Forget what was said of a tokenizer that can be used."""
        if self.of(digest, vocab_size) is not None:
            self._answers.put(_key(digest, vocab_size), b"")


def _key(digest: str, vocab_size: int | None) -> str:
    return f"{_KIND}\0{digest}\0{vocab_size}"


def with_unusable_tokenizers(world: World, verdict: Callable[[str, int | None], str | None]) -> World:
    """Return the world with the heroes whose tokenizer cannot be used with their model."""
    heroes = world.desired.heroes
    digests = {hero: seen.tokenizer_digest for hero, seen in world.facts.models.items() if hero in heroes}
    found = {
        hero: why
        for hero, digest in digests.items()
        if digest and (why := verdict(digest, heroes[hero].spec.model.vocab_size)) is not None
    }
    if not found:
        return world
    return msgspec.structs.replace(
        world, facts=msgspec.structs.replace(world.facts, unusable_tokenizers=found)
    )
