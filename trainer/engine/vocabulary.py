"""Tokenizer and chat template of a run, found to be those that the config was hashed with."""

import os
import re
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from state.contract.chat import NoTemplateError
from state.contract.request import ChatConfig, TokenizerConfig
from state.contract.tokenizer_files import TOKENIZER_FILES, NoTokenizerError
from trainer.data.rendering import Renderer
from trainer.data.requested import requested_template
from trainer.data.templates import ChatTemplate, TemplateError
from trainer.data.tokenizers import (
    TextEncoder,
    TokenizerError,
    byte_tokenizer,
    check_largest_id,
    requested_encoder,
)
from trainer.engine.failures import EnvironmentFailure, SettingsError

TEMPLATE_NAME = "chat_template.jinja"
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


class Vocabulary:
    """How text becomes tokens, and back."""

    def __init__(
        self,
        tokenizer: TokenizerConfig,
        chat: ChatConfig,
        max_length: int,
        folder: Path | None,
        template_folder: Path | None = None,
    ) -> None:
        """`folder` holds the files of a pretrained tokenizer, and its chat template unless another one does.

        Raises:
            EnvironmentFailure: tokenizer or template is not the one that the config names.
        """
        try:
            self.encoder: TextEncoder = requested_encoder(tokenizer, folder)
            self._template = requested_template(chat, template_folder or folder)
            template = ChatTemplate(self._template, self.encoder.names)
        except (TokenizerError, NoTokenizerError, TemplateError, NoTemplateError) as error:
            raise EnvironmentFailure(str(error)) from error
        self.renderer = Renderer(self.encoder, template, max_length)
        self._folder = folder
        self.max_length = max_length

    @property
    def special_ids(self) -> dict[str, int]:
        """Return the ids that a model's config names."""
        return {"eos_token_id": self.encoder.eos_id, "pad_token_id": self.encoder.pad_id}

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Return the tokens that end an answer: the tokenizer's end token, and what closes a learnt turn.

        They differ in a base model's folder: Qwen's ends texts with `<|endoftext|>`, turns with `<|im_end|>`.
        """
        closing = self.renderer.closing_id()
        return tuple(dict.fromkeys((self.encoder.eos_id, *(() if closing is None else (closing,)))))

    def save(self, folder: Path) -> None:
        """Write the files with which AutoTokenizer loads it again; a pretrained one's are copied.

        Raises:
            OSError: the disk is full or failing.
        """
        if self._folder is None:
            _save(byte_tokenizer(self._template, self.max_length), folder)
        else:
            for name in TOKENIZER_FILES:
                if (self._folder / name).is_file():
                    shutil.copyfile(self._folder / name, folder / name)
        (folder / TEMPLATE_NAME).write_text(self._template, encoding="utf-8")


def check_vocabulary(vocabulary: Vocabulary, model: Any) -> None:
    """Refuse a tokenizer with tokens that the model does not know.

    Raises:
        SettingsError: names both sizes.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    try:
        check_largest_id(vocabulary.encoder, rows)
    except TokenizerError as error:
        raise SettingsError(str(error)) from error


def stop_where_turns_end(vocabulary: Vocabulary, model: Any) -> None:
    """Let generation by whoever loads the saved model end where ours does; what else ended it still does."""
    config = model.generation_config
    known = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    ids = list(dict.fromkeys(one for one in (*known, *vocabulary.stop_ids) if one is not None))
    config.eos_token_id = ids[0] if len(ids) == 1 else ids


def _save(tokenizer: Any, folder: Path) -> None:
    try:
        tokenizer.save_pretrained(folder)
    except Exception as error:
        # The tokenizers library, written in Rust, has no class for what the system refuses.
        number = _SYSTEM_ERROR.search(str(error))
        if isinstance(error, OSError) or number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(folder)) from error
