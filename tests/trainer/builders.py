"""Requests, orders and quests of a two-layer model that trains in a second."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from state.atomic import write_json
from state.canonical import sha256_of
from state.contract.byte_tokens import VOCAB_SIZE, byte_tokens_digest
from state.contract.chat import CHATML, template_digest
from state.contract.manifest import FileEntry, Manifest, Measures, with_digest
from state.contract.orders import Orders, QuestOrder, RowShape
from state.contract.request import (
    ChatConfig,
    CheckpointConfig,
    CodeVersion,
    EvaluationConfig,
    HeldOutFile,
    LossGuardConfig,
    ModelConfig,
    RunConfig,
    RunRequest,
    TokenizerConfig,
    TrainingConfig,
)
from state.layout import CampaignLayout, Layout, RunLayout

STRANGE = "".join(chr(33 + number * 37 % 90) for number in range(60))
"""An answer unlike all others."""
TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "intermediate_size": 64,
}


def a_training(**changes: Any) -> TrainingConfig:
    """Return settings with which the tiny model learns a little in a few updates."""
    usual: dict[str, Any] = {
        "precision": "fp32",
        "batch_size": 2,
        "gradient_accumulation": 2,
        "optimizer": "adamw",
        "learning_rate": 5e-3,
        "lr_scheduler": "constant",
        "warmup_steps": 2,
        "max_length": 128,
        "weight_decay": 0.01,
        "adam_beta1": 0.9,
        "adam_beta2": 0.95,
        "adam_epsilon": 1e-8,
        "muon_learning_rate": None,
        "muon_momentum": 0.95,
        "clip": 1.0,
        "seed": 0,
        "gradient_checkpointing": False,
    }
    return TrainingConfig(**(usual | changes))


def a_model(**changes: Any) -> ModelConfig:
    """Return a Qwen3 of two layers with random weights."""
    usual: dict[str, Any] = {
        "init": "scratch",
        "base_model": None,
        "family": "qwen3",
        "architecture": "Qwen3ForCausalLM",
        "vocab_size": VOCAB_SIZE,
        "max_context_length": 128,
        "config": TINY,
    }
    return ModelConfig(**(usual | changes))


def a_config(
    *,
    training: TrainingConfig | None = None,
    model: ModelConfig | None = None,
    save_every: int = 1000,
    evaluate_every: int = 4,
    held_out_fraction: float = 0.2,
) -> RunConfig:
    """Return a whole config around the tiny model."""
    return RunConfig(
        model=model or a_model(),
        tokenizer=TokenizerConfig(kind="bytes", digest=byte_tokens_digest()),
        chat=ChatConfig(template="chatml", digest=template_digest(CHATML)),
        training=training or a_training(),
        evaluation=EvaluationConfig(
            every_updates=evaluate_every, held_out_fraction=held_out_fraction, max_rows=16
        ),
        checkpoint=CheckpointConfig(every_updates=save_every, every_minutes=60.0),
    )


def a_guarded(*, save_every: int = 1000, **changes: Any) -> RunConfig:
    """Return a config whose guard is quick to judge."""
    usual: dict[str, Any] = {"window": 8, "warm_up": 8, "deviations": 2.0, "least_nats": 0.5}
    guard = LossGuardConfig(**(usual | changes))
    config = a_config(held_out_fraction=0.0, evaluate_every=0, save_every=save_every)
    return msgspec.structs.replace(config, loss_guard=guard, training=a_training(learning_rate=1e-2))


class Realm:
    """A root with one campaign, as the reconciler would have made it."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.campaign: CampaignLayout = self.layout.campaign("tiny/campaign-001")
        self.campaign.checkpoints.mkdir(parents=True)
        self._attempts = 0

    def quest(
        self, quest_id: str = "q1", *, rows: int = 24, epochs: int = 1, word: str = "row"
    ) -> QuestOrder:
        """Write a quest of short questions and answers; return its order."""
        lines = [_row(f"{word} {number}?", f"{number * 7 % 10}") for number in range(rows)]
        return self.quest_of("\n".join(lines) + "\n", quest_id, rows=rows, epochs=epochs)

    def quest_of(self, content: str, quest_id: str = "q1", *, rows: int = 1, epochs: int = 1) -> QuestOrder:
        """Write a quest with this content; return its order."""
        digest = "sha256:" + hashlib.sha256(content.encode()).hexdigest()
        path = self.layout.snapshot(digest)
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return QuestOrder(
            quest_id=quest_id,
            job_uid=f"job-{quest_id}",
            digest=digest,
            path=str(path),
            num_rows=rows,
            shape=RowShape(),
            epochs=epochs,
            priority="normal",
        )

    def run(
        self,
        orders: Orders,
        config: RunConfig | None = None,
        *,
        resume_step: int | None = None,
        **changes: Any,
    ) -> RunLayout:
        """Write the next run's request and orders; return its files."""
        self._attempts += 1
        files = RunLayout(self.campaign.runs / f"g1-a{self._attempts}")
        files.folder.mkdir(parents=True)
        write_json(files.orders, orders)
        write_json(files.request, self._request(config or a_config(), resume_step, changes))
        return files

    def _request(self, config: RunConfig, resume_step: int | None, changes: dict[str, Any]) -> RunRequest:
        request = RunRequest(
            realm_uid="r" * 16,
            campaign_uid="c" * 16,
            campaign="tiny/campaign-001",
            generation=1,
            attempt=self._attempts,
            segment=1,
            config=config,
            config_hash=sha256_of(msgspec.to_builtins(config)),
            code_version=CodeVersion(source="git", commit="a" * 40),
            specs_commit="b" * 40,
            device="cpu",
            threads=1,
            checkpoints_dir=str(self.campaign.checkpoints),
            model_dir=None,
            trainer_lock=str(self.layout.trainer_lock),
            held_out=None,
            resume_step=resume_step,
            optimizer_state="resume",
        )
        return msgspec.structs.replace(request, **changes)


def with_strange_rows(realm: Realm, strange: tuple[int, ...], rows: int = 120) -> QuestOrder:
    """Return a quest of which these rows, counted from 1, are unlike all others."""
    lines = []
    for number in range(1, rows + 1):
        answer = STRANGE if number in strange else "7"
        messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]
        lines.append(json.dumps({"messages": messages}))
    return realm.quest_of("\n".join(lines) + "\n", rows=rows)


def orders(*quests: QuestOrder, sequence: int = 1, **changes: Any) -> Orders:
    """Return orders for these quests."""
    return Orders(sequence=sequence, quests=quests, **changes)


def a_manifest(files: tuple[FileEntry, ...], step: int = 3) -> Manifest:
    """Return the manifest of a checkpoint with these files."""
    return with_digest(
        Manifest(
            campaign_uid="c" * 16,
            campaign="tiny/campaign-001",
            segment=1,
            step=step,
            parent_step=None,
            parent_digest=None,
            created_at="2026-01-31T12:00:00Z",
            generation=1,
            attempt=1,
            config_hash="sha256:0",
            code_version=CodeVersion(source="git", commit="a" * 40),
            specs_commit="b" * 40,
            optimizer="adamw",
            healthy=True,
            quest_id="q1",
            cursor=(),
            learnt=(),
            measures=Measures(
                train_loss=1.0, val_loss=None, learning_rate=0.1, examples_seen=1, tokens_seen=1
            ),
            files=files,
            digest="",
        )
    )


def held_out_file(order: QuestOrder) -> HeldOutFile:
    """Return the content of a quest as a file that is only evaluated on."""
    return HeldOutFile(path=order.path, digest=order.digest, shape=order.shape)


def _row(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})
