"""Hugging Face Trainer's save of a model and its AdamW state: prints the seconds that training waits for each."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import Trainer, TrainingArguments

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
import msgspec

from state.contract.run_config import RunConfig
from trainer.engine.model import new_model


class Timed(Trainer):
    def _save_checkpoint(self, *args, **kwargs):
        started = time.perf_counter()
        super()._save_checkpoint(*args, **kwargs)
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)


def main(config_file: Path, num_saves: int, folder: Path) -> None:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    config = msgspec.json.decode(config_file.read_bytes(), type=RunConfig)
    row = {"input_ids": [5, 6, 7, 8], "labels": [5, 6, 7, 8]}
    with tempfile.TemporaryDirectory(dir=folder) as output:
        settings = TrainingArguments(
            output_dir=output,
            per_device_train_batch_size=1,
            max_steps=num_saves,
            save_steps=1,
            save_total_limit=1,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        model = new_model(config.model, config.training.seed, {"eos_token_id": 1, "pad_token_id": 0})
        Timed(model=model, args=settings, train_dataset=[row] * num_saves).train()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
