"""The byte-level vocabulary, as data: one token for each byte, then the special tokens, 320 in all.

The reconciler hashes it into a config without loading a tokenizer; the trainer builds the tokenizer from it.
"""

from state.canonical import sha256_of

NUM_BYTES = 256
END_OF_TEXT = "<|endoftext|>"
"""Ends a document and fills short ones up."""
IM_START = "<|im_start|>"
IM_END = "<|im_end|>"
_NAMED = (END_OF_TEXT, IM_START, IM_END)
VOCAB_SIZE = 320
SPECIAL_TOKENS: tuple[str, ...] = _NAMED + tuple(
    f"<|reserved_{number}|>" for number in range(VOCAB_SIZE - NUM_BYTES - len(_NAMED))
)
"""In the order of their ids; the reserved ones give every id of the vocabulary a name."""


def byte_tokens_digest() -> str:
    """Return `sha256:` and 64 hex digits that name this vocabulary."""
    return sha256_of({"kind": "bytes", "num_bytes": NUM_BYTES, "special_tokens": list(SPECIAL_TOKENS)})
