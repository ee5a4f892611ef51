"""The real Qwen vocabulary, out of the package that carries it, as a folder that transformers loads."""

import base64
from importlib.util import find_spec
from pathlib import Path

import pytest

_END_OF_TEXT = 151_643
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VOCABULARY = 151_936
"""Rows of the model's embedding; the tokenizer has fewer tokens."""


def ranks() -> dict[bytes, int]:
    """Return each token's bytes and rank; skips the test where the package is not installed."""
    found = find_spec("dashscope")
    if found is None or found.origin is None:
        pytest.skip("the Qwen vocabulary is not installed: pip install -e '.[vocabulary]'")
    lines = (Path(found.origin).parent / "resources" / "qwen.tiktoken").read_bytes().split(b"\n")
    pairs = (line.split() for line in lines if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def save_tokenizer(folder: Path, template: str) -> None:
    """Write the tokenizer's files: the ranks as the byte-level BPE that they are."""
    from transformers import Qwen2Tokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = bytes_to_unicode()

    def said(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    rank_of = ranks()
    assert len(rank_of) == _END_OF_TEXT
    Qwen2Tokenizer(
        vocab={said(token): rank for token, rank in rank_of.items()},
        merges=[(said(left), said(right)) for left, right in _merges(rank_of)],
        extra_special_tokens=list(SPECIAL[1:]),
        eos_token=SPECIAL[2],
        pad_token=SPECIAL[0],
        chat_template=template,
    ).save_pretrained(folder)


def _merges(rank_of: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Return every pair of tokens that makes a token, in the order in which BPE applies them."""
    found = []
    for token, rank in rank_of.items():
        halves = ((token[:place], token[place:]) for place in range(1, len(token)))
        pairs = [(rank_of[a], rank_of[b], a, b) for a, b in halves if a in rank_of and b in rank_of]
        found += [(rank, *pair) for pair in sorted(pairs)]
    return [(left, right) for _, _, _, left, right in sorted(found)]
