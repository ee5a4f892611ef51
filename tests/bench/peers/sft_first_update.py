"""The same model, rows and settings in a TRL SFTTrainer script; prints the moment of the first update."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from datasets import Dataset
from transformers import Qwen3Config, Qwen3ForCausalLM, TrainerCallback, set_seed
from trl import SFTConfig, SFTTrainer

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from state.contract.chat import CHATML
from trainer.data.tokenizers import byte_tokenizer


class Stop(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):  # noqa: ARG002 - its base class says so
        print(f"first update {time.perf_counter()}", flush=True)
        control.should_training_stop = True


def main(request: Path) -> None:
    asked = json.loads(request.read_text())
    training, model = asked["config"]["training"], asked["config"]["model"]
    quest = json.loads((request.parent / "orders.json").read_text())["quests"][0]
    rows = [json.loads(line) for line in Path(quest["path"]).read_text().splitlines()]
    set_seed(training["seed"])
    config = Qwen3Config(
        vocab_size=model["vocab_size"],
        max_position_embeddings=model["max_context_length"],
        tie_word_embeddings=True,
        **model["config"],
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=training["batch_size"],
            gradient_accumulation_steps=training["gradient_accumulation"],
            learning_rate=training["learning_rate"],
            max_length=training["max_length"],
            max_steps=1,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            use_cpu=True,
            bf16=False,
            disable_tqdm=True,
        )
        SFTTrainer(
            model=Qwen3ForCausalLM(config),
            args=settings,
            train_dataset=Dataset.from_list([{"messages": row["messages"]} for row in rows]),
            processing_class=byte_tokenizer(CHATML, training["max_length"]),
            callbacks=[Stop()],
        ).train()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
