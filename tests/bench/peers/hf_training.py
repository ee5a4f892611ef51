"""The same documents, updates and settings in a Hugging Face Trainer with its defaults; prints each update."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from torch.utils.data import SequentialSampler
from transformers import DataCollatorForSeq2Seq, Trainer, TrainerCallback, TrainingArguments
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

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


class InOrder(Trainer):
    """Its sampler would draw other rows than ours."""

    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(train_dataset or self.train_dataset)


def main(request: Path, documents: Path, num_updates: int) -> None:
    torch.set_num_threads(1)
    config = msgspec.convert(json.loads(request.read_text())["config"], RunConfig)
    tokenizer = byte_tokenizer(CHATML, config.training.max_length)
    special = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=config.training.batch_size,
            gradient_accumulation_steps=config.training.gradient_accumulation,
            learning_rate=config.training.learning_rate,
            lr_scheduler_type="constant",
            weight_decay=config.training.weight_decay,
            adam_beta1=config.training.adam_beta1,
            adam_beta2=config.training.adam_beta2,
            adam_epsilon=config.training.adam_epsilon,
            max_grad_norm=config.training.clip,
            max_steps=num_updates,
            logging_steps=1,
            save_strategy="no",
            report_to=["kubeflow"] if "kubeflow" in INTEGRATION_TO_CALLBACK else [],
            use_cpu=True,
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        InOrder(
            model=new_model(config.model, config.training.seed, special),
            args=settings,
            train_dataset=[json.loads(line) for line in documents.read_text().splitlines()],
            data_collator=DataCollatorForSeq2Seq(tokenizer),
            callbacks=[Told()],
        ).train()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
