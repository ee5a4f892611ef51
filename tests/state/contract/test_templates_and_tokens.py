"""What names a tokenizer and a chat template in a config."""

import json

import pytest

from state.contract.byte_tokens import NUM_BYTES, SPECIAL_TOKENS, VOCAB_SIZE, byte_tokens_digest
from state.contract.chat import (
    BUILT_IN,
    NoTemplateError,
    is_built_in,
    is_model_own,
    model_template,
    template_digest,
)
from state.contract.tokenizer_files import NoTokenizerError, tokenizer_files_digest


def test_every_id_of_the_byte_vocabulary_has_a_name():
    assert 256 + len(SPECIAL_TOKENS) == VOCAB_SIZE == 320
    assert len(set(SPECIAL_TOKENS)) == len(SPECIAL_TOKENS)
    assert (NUM_BYTES, SPECIAL_TOKENS[:3]) == (256, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"))


def test_the_digests_that_configs_carry_never_change():
    assert byte_tokens_digest() == "sha256:2bae071eb2def5df647bbca4fe0946715d01a1daba86cfc344b2887da6264b35"
    assert (
        template_digest(BUILT_IN["chatml"])
        == "sha256:fcbc2adf2e3e880bfb5efca2f1b5145af5a8d26302a01e1635da6af59bfcd7c5"
    )


def test_a_models_own_template_is_not_one_of_ours():
    assert is_built_in("chatml")
    assert not is_built_in("qwen3_chat")
    assert is_model_own("qwen3_chat")
    assert not is_model_own("chatml")


def test_a_models_own_template_comes_from_its_folder(tmp_path):
    with pytest.raises(NoTemplateError, match="no chat template here; expected chat_template"):
        model_template(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "in config"}))
    assert model_template(tmp_path) == "in config"
    (tmp_path / "chat_template.jinja").write_text("in a file")
    assert model_template(tmp_path) == "in a file"


def test_a_broken_tokenizer_config_is_named(tmp_path):
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(NoTemplateError, match=r"tokenizer_config\.json: not JSON"):
        model_template(tmp_path)


def test_every_template_name_of_the_real_heroes_is_known(cases):
    for hero in sorted((cases / "real-specs" / "heroes").glob("*.yaml")):
        (line,) = [line for line in hero.read_text().splitlines() if line.startswith("  template:")]
        assert is_model_own(line.split('"')[1])


def test_the_digest_of_tokenizer_files_covers_each_of_them(tmp_path):
    with pytest.raises(NoTokenizerError, match=r"no tokenizer here; expected tokenizer\.json"):
        tokenizer_files_digest(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    first = tokenizer_files_digest(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    second = tokenizer_files_digest(tmp_path)
    (tmp_path / "README.md").write_text("not part of it")
    assert first != second == tokenizer_files_digest(tmp_path)
