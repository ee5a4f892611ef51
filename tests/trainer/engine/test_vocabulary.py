"""Tokenizer and template of a run: what they write, and what happens when the disk takes no more."""

import errno
from pathlib import Path

import pytest

pytest.importorskip("torch")

from builders import Realm, a_config, a_model, orders

from trainer.engine.failures import SettingsError
from trainer.engine.model import new_model
from trainer.engine.vocabulary import Vocabulary, check_vocabulary


def test_a_full_disk_is_an_error_of_the_system_whichever_library_writes(tmp_path: Path) -> None:
    config = a_config()
    vocabulary = Vocabulary(config.tokenizer, config.chat, 128, None)
    (tmp_path / "tokenizer.json").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left on device") as caught:
        vocabulary.save(tmp_path)

    assert caught.value.errno == errno.ENOSPC


def test_a_tokenizer_with_tokens_that_the_model_does_not_know_is_refused_with_both_sizes() -> None:
    config = a_config()
    vocabulary = Vocabulary(config.tokenizer, config.chat, 128, None)
    largest = vocabulary.encoder.largest_id
    small = new_model(a_model(vocab_size=largest), seed=0, special_ids={})
    with pytest.raises(SettingsError, match=f"up to id {largest}, the model's vocabulary is {largest}"):
        check_vocabulary(vocabulary, small)
    check_vocabulary(vocabulary, new_model(a_model(vocab_size=largest + 1), seed=0, special_ids={}))


def test_a_run_whose_tokenizer_is_too_large_trains_nothing(realm: Realm) -> None:
    from seen import saved_steps, why

    from trainer.engine.run import run

    files = realm.run(orders(realm.quest()), a_config(model=a_model(vocab_size=258)))
    assert run(files.request) == 1
    assert why(files).failure_class == "settings"
    assert "they do not belong together; put the tokenizer of this model" in why(files).message
    assert saved_steps(realm) == []
