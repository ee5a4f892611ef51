"""Where the weights of a checkpoint come from that another software saved, or another realm."""

import msgspec

from state.contract.numbers import Count


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a checkpoint that was taken in."""

    producer: str
    """`realm`, `hugging-face-trainer`, `safetensors`."""
    source: str
    """The folder that it was taken from, or where it lay before it was migrated."""
    architecture: str | None = None
    """As its own config.json says; None: it does not."""
    vocab_size: Count | None = None
    config_digest: str | None = None
    """SHA-256 of its config.json."""
    unused: tuple[str, ...] = ()
    """What lay there and is not used: the state of a foreign optimizer, its schedule and random numbers."""
    unknown: tuple[str, ...] = ()
    """Fields of the manifest that nobody knows: what stands there says nothing."""

    @property
    def is_ours(self) -> bool:
        """Was it saved by this software, so that the state of its optimizer can be gone on with?"""
        return self.producer == "realm"
