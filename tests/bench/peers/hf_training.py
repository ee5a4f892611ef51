"""The same documents, updates and settings in a Hugging Face Trainer with its defaults; prints each update."""

import sys
import tempfile
from pathlib import Path

import torch
from same_updates import InOrder, Told, config_of, model_and_tokenizer, rows_of, same_settings
from transformers import DataCollatorForSeq2Seq, TrainingArguments
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK


def main(request: Path, documents: Path, num_updates: int) -> None:
    torch.set_num_threads(1)
    config = config_of(request)
    model, tokenizer = model_and_tokenizer(config)
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            report_to=["kubeflow"] if "kubeflow" in INTEGRATION_TO_CALLBACK else [],
            remove_unused_columns=False,
            **same_settings(config.training, num_updates),
        )
        InOrder(
            model=model,
            args=settings,
            train_dataset=rows_of(documents),
            data_collator=DataCollatorForSeq2Seq(tokenizer),
            callbacks=[Told()],
        ).train()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
