"""Tokenizers: the byte-level one, built in code, and those of pretrained models, from a local folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tokenizers as hf
from tokenizers import decoders, models, pre_tokenizers

from state.contract.byte_tokens import (
    END_OF_TEXT,
    IM_END,
    NUM_BYTES,
    SPECIAL_TOKENS,
    byte_tokens_digest,
)
from state.contract.request import TokenizerConfig
from state.contract.tokenizer_files import TOKENIZER_FILES, tokenizer_files_digest

_BYTE_NAMES = {"eos_token": IM_END, "pad_token": END_OF_TEXT}


class TokenizerError(Exception):
    """A tokenizer that is not the one that was asked for, or that cannot be trained with."""


class UnusableTokenizerError(TokenizerError):
    """A tokenizer whose files are there, and which cannot be loaded or trained with; names the file."""


class TextEncoder:
    """A tokenizer as training needs it: plain text never becomes a special token, whatever it says."""

    def __init__(self, backend: hf.Tokenizer, *, names: dict[str, str], digest: str) -> None:
        """`names` are the special tokens by role: eos_token and pad_token, and others for the template.

        Raises:
            TokenizerError: one of the two is no token.
        """
        backend.encode_special_tokens = True  # text that looks like a special token is encoded as text
        backend.no_padding()
        backend.no_truncation()
        self._backend = backend
        added = backend.get_added_tokens_decoder()
        self.special_ids = {token.content: number for number, token in added.items() if token.special}
        """Special token → id; placed by templates only."""
        self.names = names
        self.pad_id = self._id_of(names["pad_token"])
        self.eos_id = self._id_of(names["eos_token"])
        self.digest = digest
        self.largest_id = max(backend.get_vocab(with_added_tokens=True).values())

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Return the token ids of plain texts."""
        encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids without special tokens; bytes that are no UTF-8 become U+FFFD."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def _id_of(self, token: str) -> int:
        number = self._backend.token_to_id(token)
        if number is None:
            raise TokenizerError(f"the tokenizer has no token {token!r}")
        return int(number)


class ByteEncoder(TextEncoder):
    """The byte-level tokenizer: its ids of plain text are the UTF-8 bytes, twenty times faster to find."""

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Return the token ids of plain texts."""
        return [text.encode() for text in texts]


def byte_backend() -> hf.Tokenizer:
    """Return a tokenizer with one token for each byte (its id is the byte's value), then the special ones."""
    names = _names_of_bytes()
    vocabulary = {names[byte]: byte for byte in range(NUM_BYTES)}
    backend = hf.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(
        [hf.AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    )
    return backend


def byte_encoder() -> TextEncoder:
    """Return the byte-level tokenizer for training."""
    return ByteEncoder(byte_backend(), names=_BYTE_NAMES, digest=byte_tokens_digest())


def byte_tokenizer(chat_template: str, max_length: int) -> Any:
    """Return the byte-level tokenizer as a transformers tokenizer, to be saved beside weights.

    It loads again with AutoTokenizer, without code of ours.
    """
    from transformers import PreTrainedTokenizerFast  # takes a second: only for saving

    return PreTrainedTokenizerFast(
        tokenizer_object=byte_backend(),
        chat_template=chat_template,
        **_BYTE_NAMES,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
    )


def pretrained_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in a model's folder; nothing is downloaded and no code from the folder is run.

    Raises:
        UnusableTokenizerError: it cannot be loaded, or has no fast form.
    """
    from transformers import AutoTokenizer  # takes a second: only for pretrained models

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except ImportError:
        raise
    except Exception as error:  # the tokenizers library raises just that for a bad file
        file = _damaged_file(folder) or folder
        raise UnusableTokenizerError(f"{file}: the tokenizer cannot be loaded: {error}") from error
    if not tokenizer.is_fast:
        raise UnusableTokenizerError(
            f"{folder}: the tokenizer has no tokenizer.json; convert it to the fast format"
        )
    return tokenizer


def _damaged_file(folder: Path) -> Path | None:
    """Return the first of the tokenizer's JSON files that is none, or that the library cannot read."""
    for name in TOKENIZER_FILES:
        if name.endswith(".json") and (folder / name).is_file():
            try:
                json.loads((folder / name).read_bytes())
            except (ValueError, RecursionError):
                return folder / name
    return folder / "tokenizer.json" if (folder / "tokenizer.json").is_file() else None


def encoder_of(tokenizer: Any, digest: str) -> TextEncoder:
    """Return a transformers tokenizer for training; without a padding token the end token fills up.

    Raises:
        UnusableTokenizerError: it has no end token.
    """
    if tokenizer.eos_token is None:
        raise UnusableTokenizerError(
            f"{tokenizer.name_or_path}: the tokenizer has no end token; add eos_token to its "
            "tokenizer_config.json"
        )
    names = {
        role: str(token) for role, token in tokenizer.special_tokens_map.items() if isinstance(token, str)
    }
    names.setdefault("pad_token", names["eos_token"])
    return TextEncoder(tokenizer.backend_tokenizer, names=names, digest=digest)


def check_largest_id(encoder: TextEncoder, vocab_size: int) -> None:
    """Refuse a tokenizer with tokens that the model does not know.

    Raises:
        TokenizerError: names both sizes.
    """
    if encoder.largest_id >= vocab_size:
        raise TokenizerError(
            f"the tokenizer has tokens up to id {encoder.largest_id}, the model's vocabulary is {vocab_size} "
            "tokens: they do not belong together; put the tokenizer of this model into its folder"
        )


def requested_encoder(config: TokenizerConfig, model_dir: Path | None) -> TextEncoder:
    """Return the tokenizer that a request asks for, compared with the digest that it names.

    Raises:
        TokenizerError: it is another one than the config was hashed with, or cannot be loaded.
        NoTokenizerError: the model's folder has none.
    """
    if config.kind == "pretrained" and model_dir is None:
        raise TokenizerError("a pretrained tokenizer was asked for, but no model folder")
    folder = model_dir if config.kind == "pretrained" else None
    digest = tokenizer_files_digest(folder) if folder is not None else byte_tokens_digest()
    if digest != config.digest:
        where = "of this software" if folder is None else f"in {folder}"
        raise TokenizerError(
            f"the tokenizer {where} has the digest {digest}, the request names {config.digest}; "
            "plan again, so that the change is seen"
        )
    return encoder_of(pretrained_tokenizer(folder), digest) if folder is not None else byte_encoder()


def _names_of_bytes() -> list[str]:
    """Return the printable character that byte-level tokenizers write for each byte (GPT-2's table)."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = [byte for byte in range(NUM_BYTES) if byte not in printable]
    shifted = {byte: NUM_BYTES + place for place, byte in enumerate(others)}
    return [chr(shifted.get(byte, byte)) for byte in range(NUM_BYTES)]
