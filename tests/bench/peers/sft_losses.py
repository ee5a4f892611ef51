"""The same documents, updates and settings in a TRL SFTTrainer; prints the loss of each update."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from datasets import Dataset
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
import msgspec

from state.contract.chat import CHATML
from state.contract.run_config import RunConfig
from trainer.data.tokenizers import byte_tokenizer
from trainer.engine.model import new_model


class Told(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):  # noqa: ARG002 - its base class says so
        if logs and "loss" in logs:
            print(
                json.dumps(
                    {"at": time.perf_counter(), "cpu": time.process_time(), "loss": float(logs["loss"])}
                ),
                flush=True,
            )


class InOrder(SFTTrainer):
    """Its sampler would draw other rows than ours."""

    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(train_dataset or self.train_dataset)


def main(request: Path, documents: Path, num_updates: int) -> None:
    torch.set_num_threads(1)
    config = msgspec.convert(json.loads(request.read_text())["config"], RunConfig)
    training = config.training
    tokenizer = byte_tokenizer(CHATML, training.max_length)
    special = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    rows = [json.loads(line) for line in documents.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=training.batch_size,
            gradient_accumulation_steps=training.gradient_accumulation,
            learning_rate=training.learning_rate,
            lr_scheduler_type="constant",
            weight_decay=training.weight_decay,
            adam_beta1=training.adam_beta1,
            adam_beta2=training.adam_beta2,
            adam_epsilon=training.adam_epsilon,
            max_grad_norm=training.clip,
            max_length=training.max_length,
            completion_only_loss=True,
            max_steps=num_updates,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            bf16=training.precision == "bf16",
            gradient_checkpointing=False,
            disable_tqdm=True,
        )
        InOrder(
            model=new_model(config.model, training.seed, special),
            args=settings,
            train_dataset=Dataset.from_list([_row(row) for row in rows]),
            processing_class=tokenizer,
            callbacks=[Told()],
        ).train()


def _row(row: dict) -> dict:
    return {"input_ids": row["input_ids"], "completion_mask": [int(label != -100) for label in row["labels"]]}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
