"""The files of a pretrained tokenizer: which they are and their digest, without loading any of them."""

import hashlib
from pathlib import Path

from state.canonical import sha256_of

TOKENIZER_FILES = (
    "added_tokens.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)


class NoTokenizerError(Exception):
    """A model's folder holds no tokenizer."""


def tokenizer_files_digest(folder: Path) -> str:
    """Return `sha256:` and 64 hex digits over the names and contents of a folder's tokenizer files.

    Raises:
        NoTokenizerError: the folder has none of them.
    """
    present = [name for name in TOKENIZER_FILES if (folder / name).is_file()]
    if not {"tokenizer.json", "tokenizer.model", "vocab.json"} & set(present):
        raise NoTokenizerError(
            f"{folder}: no tokenizer here; expected tokenizer.json (or tokenizer.model, or vocab.json). "
            "Download the model whole."
        )
    return sha256_of({name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in present})
