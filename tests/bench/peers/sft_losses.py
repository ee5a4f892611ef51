"""The same documents, updates and settings in a TRL SFTTrainer; prints the loss of each update."""

import sys
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from same_updates import InOrder, Told, config_of, model_and_tokenizer, rows_of, same_settings
from trl import SFTConfig, SFTTrainer


class InOrderToo(InOrder, SFTTrainer):
    """Takes rows as they stand."""


def main(request: Path, documents: Path, num_updates: int) -> None:
    torch.set_num_threads(1)
    config = config_of(request)
    model, tokenizer = model_and_tokenizer(config)
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder,
            report_to=[],
            max_length=config.training.max_length,
            completion_only_loss=True,
            bf16=config.training.precision == "bf16",
            gradient_checkpointing=False,
            **same_settings(config.training, num_updates),
        )
        InOrderToo(
            model=model,
            args=settings,
            train_dataset=Dataset.from_list([_row(row) for row in rows_of(documents)]),
            processing_class=tokenizer,
            callbacks=[Told()],
        ).train()


def _row(row: dict) -> dict:
    return {"input_ids": row["input_ids"], "completion_mask": [int(label != -100) for label in row["labels"]]}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
