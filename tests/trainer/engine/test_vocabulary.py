"""Tokenizer and template of a run: what they write, and what happens when the disk takes no more."""

import errno
from pathlib import Path

import pytest

pytest.importorskip("torch")

from builders import a_config

from trainer.engine.vocabulary import Vocabulary


def test_a_full_disk_is_an_error_of_the_system_whichever_library_writes(tmp_path: Path) -> None:
    config = a_config()
    vocabulary = Vocabulary(config.tokenizer, config.chat, 128, None)
    (tmp_path / "tokenizer.json").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left on device") as caught:
        vocabulary.save(tmp_path)

    assert caught.value.errno == errno.ENOSPC
