"""The realm of these tests: two campaigns, one quest, one config."""

import hashlib
from typing import Any

import msgspec
from blake3 import blake3

from state.cards import CampaignCard
from state.contract.manifest import FileEntry, Manifest, Measures, with_digest
from state.contract.request import (
    ChatConfig,
    CheckpointConfig,
    CodeVersion,
    EvaluationConfig,
    ModelConfig,
    RunConfig,
    TokenizerConfig,
    TrainingConfig,
    config_hash,
)
from state.ids import campaign_uid, job_uid

NOW = "2026-01-31T12:00:00Z"
REALM_UID = "realm"
CAMPAIGN, OTHER = "tiny/campaign-001", "tiny/campaign-002"
UID, OTHER_UID = campaign_uid(REALM_UID, CAMPAIGN), campaign_uid(REALM_UID, OTHER)
ROWS = b'{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}\n' * 3
DIGEST = "sha256:" + hashlib.sha256(ROWS).hexdigest()
CARD = CampaignCard(name="One", description="", skills_focus=("bin",), config_overrides={})
CODE = CodeVersion(source="git", commit="c" * 40)
CONFIG = RunConfig(
    model=ModelConfig(
        init="scratch", base_model=None, family="qwen3", architecture="Qwen3ForCausalLM", vocab_size=259,
        max_context_length=64, config={"hidden_size": 8},
    ),
    tokenizer=TokenizerConfig(kind="bytes", digest="sha256:" + "1" * 64),
    chat=ChatConfig(template="chatml", digest="sha256:" + "2" * 64),
    training=TrainingConfig(
        precision="fp32", batch_size=1, gradient_accumulation=1, optimizer="adamw", learning_rate=0.001,
        lr_scheduler="constant", warmup_steps=1, max_length=64, weight_decay=0.0, adam_beta1=0.9,
        adam_beta2=0.95, adam_epsilon=1e-8, muon_learning_rate=None, muon_momentum=0.95, clip=1.0, seed=0,
        gradient_checkpointing=False,
    ),
    evaluation=EvaluationConfig(every_updates=10, held_out_fraction=0.1, max_rows=8),
    checkpoint=CheckpointConfig(every_updates=10, every_minutes=15.0),
)  # fmt: skip
KEY = {"campaign": CAMPAIGN, "campaign_uid": UID, "generation": 1, "attempt": 1}
JOB = job_uid(UID, "sums")


def manifest_of(step: int, files: dict[str, bytes], **changes: Any) -> Manifest:
    entries = tuple(
        FileEntry(path=name, size_bytes=len(content), blake3=blake3(content).hexdigest())
        for name, content in sorted(files.items())
    )
    manifest = Manifest(
        campaign_uid=UID, campaign=CAMPAIGN, segment=1, step=step, parent_step=None, parent_digest=None,
        created_at="2026-01-31T11:58:00Z", generation=1, attempt=1, config_hash=config_hash(CONFIG),
        code_version=CODE, specs_commit="d" * 40, optimizer="adamw", healthy=True, quest_id="sums", cursor=(),
        learnt=(), files=entries, digest="",
        measures=Measures(
            train_loss=0.5, val_loss=0.625, learning_rate=0.001, examples_seen=3, tokens_seen=99
        ),
    )  # fmt: skip
    return with_digest(msgspec.structs.replace(manifest, **changes))
