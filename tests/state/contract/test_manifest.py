"""The digest of a manifest: over all that it says, and the same for manifests of older versions."""

import json

import msgspec
from blake3 import blake3

from state.canonical import canonical_json
from state.contract.locked import Locked
from state.contract.manifest import Manifest, manifest_digest
from state.contract.run_config import ChatConfig, ModelConfig, TokenizerConfig

OLDER = {
    "schema_version": 1, "campaign_uid": "u", "campaign": "pip/campaign-001", "segment": 1, "step": 7,
    "parent_step": None, "parent_digest": None, "created_at": "2026-01-31T11:58:00Z", "generation": 1, "attempt": 1,
    "config_hash": "sha256:1", "specs_commit": "d",
    "code_version": {"source": "git", "commit": "c", "dirty": None, "distribution": None},
    "optimizer": "adamw", "healthy": True, "quest_id": None, "cursor": [], "learnt": [], "files": [],
    "measures": {"train_loss": 0.5, "val_loss": None, "learning_rate": 0.1, "examples_seen": 3, "tokens_seen": 9},
}  # fmt: skip
LOCKED = Locked(
    model=ModelConfig(
        init="scratch",
        base_model=None,
        family="qwen3",
        architecture="Qwen3ForCausalLM",
        vocab_size=320,
        max_context_length=64,
        config={"hidden_size": 8},
    ),
    tokenizer=TokenizerConfig(kind="bytes", digest="sha256:2"),
    chat=ChatConfig(template="chatml", digest="sha256:3"),
)


def older() -> Manifest:
    return msgspec.json.decode(json.dumps({**OLDER, "digest": ""}), type=Manifest)


def test_a_manifest_of_an_older_version_keeps_its_digest() -> None:
    assert manifest_digest(older()) == "blake3:" + blake3(canonical_json(OLDER)).hexdigest()


def test_the_locked_values_are_part_of_the_digest() -> None:
    one = msgspec.structs.replace(older(), locked=LOCKED)
    model = msgspec.structs.replace(LOCKED.model, vocab_size=321)
    other = msgspec.structs.replace(older(), locked=msgspec.structs.replace(LOCKED, model=model))
    assert len({manifest_digest(older()), manifest_digest(one), manifest_digest(other)}) == 3
