"""What the peers share: our model, our documents in our order, our settings, each update told as a line of JSON."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
import msgspec

from state.contract.chat import CHATML
from state.contract.run_config import RunConfig, TrainingConfig
from trainer.data.tokenizers import byte_tokenizer
from trainer.engine.model import new_model


class Told(TrainerCallback):
    """Prints when each update was over, and its loss."""

    def on_log(self, args, state, control, logs=None, **kwargs):  # noqa: ARG002 - its base class says so
        if logs and "loss" in logs:
            moment = {"at": time.perf_counter(), "cpu": time.process_time()}
            print(json.dumps(moment | {"loss": float(logs["loss"])}), flush=True)


class InOrder(Trainer):
    """Takes rows as they stand: its own sampler would draw other rows than ours."""

    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(train_dataset or self.train_dataset)


def config_of(request: Path) -> RunConfig:
    return msgspec.convert(json.loads(request.read_text())["config"], RunConfig)


def model_and_tokenizer(config: RunConfig) -> tuple[Any, Any]:
    """Return them as our trainer begins with them."""
    tokenizer = byte_tokenizer(CHATML, config.training.max_length)
    special = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    return new_model(config.model, config.training.seed, special), tokenizer


def rows_of(documents: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in documents.read_text().splitlines()]


def same_settings(training: TrainingConfig, num_updates: int) -> dict[str, Any]:
    """Return our settings by the names of TrainingArguments; each update is logged, nothing is saved."""
    return {
        "per_device_train_batch_size": training.batch_size,
        "gradient_accumulation_steps": training.gradient_accumulation,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": "constant",
        "weight_decay": training.weight_decay,
        "adam_beta1": training.adam_beta1,
        "adam_beta2": training.adam_beta2,
        "adam_epsilon": training.adam_epsilon,
        "max_grad_norm": training.clip,
        "max_steps": num_updates,
        "logging_steps": 1,
        "save_strategy": "no",
        "use_cpu": True,
        "disable_tqdm": True,
    }
