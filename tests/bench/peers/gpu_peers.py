"""What `gpu.py` compares with: a Hugging Face Trainer and TRL's SFTTrainer on the same documents."""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch


class Measured(NamedTuple):
    seconds: float
    """Median of one update, without the first ones."""
    peak_bytes: int | None
    """Most memory of the device that tensors took at once; None on a CPU."""


class Clock:
    """Times updates, and notes the device's peak, as everybody here is measured."""

    def __init__(self, device: torch.device, warm_up: int) -> None:
        self.device, self._warm_up = device, warm_up
        self._moments: list[float] = []

    def start(self) -> None:
        """Begin, with the model where it is trained."""
        self._moments = [self._now()]
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def update_done(self) -> None:
        self._moments.append(self._now())

    def result(self) -> Measured:
        moments = self._moments[self._warm_up :]
        spans = [end - start for start, end in pairwise(moments)]
        is_gpu = self.device.type == "cuda"
        peak = int(torch.cuda.max_memory_allocated(self.device)) if is_gpu else None
        return Measured(statistics.median(spans), peak)

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def hugging_face(model: Any, rows: Sequence[list[int]], settings: dict[str, Any], clock: Clock) -> Measured:
    """Return what a Hugging Face Trainer takes."""
    from transformers import Trainer, TrainingArguments

    def filled(chosen: list[list[int]]) -> dict[str, torch.Tensor]:
        tensors = [torch.tensor(row) for row in chosen]
        ids = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
        labels = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=-100)
        return {"input_ids": ids, "labels": labels, "attention_mask": (labels != -100).long()}

    def start(folder: str) -> Any:
        asked = TrainingArguments(output_dir=folder, **_common(clock.device), **settings)
        return Trainer(model=model, args=asked, train_dataset=list(rows), data_collator=filled)

    return _trained(start, clock)


def trl(model: Any, rows: Sequence[list[int]], settings: dict[str, Any], clock: Clock) -> Measured:
    """Return what TRL's SFTTrainer takes.

    Raises:
        ImportError: TRL is not installed here.
    """
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from state.contract.chat import CHATML
    from trainer.data.tokenizers import byte_tokenizer

    def start(folder: str) -> Any:
        asked = SFTConfig(output_dir=folder, **_common(clock.device), **({"max_length": 2048} | settings))
        dataset = Dataset.from_list([{"input_ids": row} for row in rows])
        names = byte_tokenizer(CHATML, 2048)  # of no use for rows of ids, but it asks for one
        return SFTTrainer(model=model, args=asked, train_dataset=dataset, processing_class=names)

    return _trained(start, clock)


def _trained(start: Callable[[str], Any], clock: Clock) -> Measured:
    from transformers import TrainerCallback

    class Told(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - its base class says so
            clock.update_done()

    with tempfile.TemporaryDirectory() as folder:
        trainer = start(folder)
        trainer.add_callback(Told())
        trainer.train()
    return clock.result()


def _common(device: torch.device) -> dict[str, Any]:
    is_gpu = device.type == "cuda"
    return {
        "learning_rate": 1e-5, "lr_scheduler_type": "constant", "save_strategy": "no", "report_to": [],
        "logging_strategy": "no", "use_cpu": not is_gpu, "bf16": is_gpu, "disable_tqdm": True,
        "remove_unused_columns": False,
    }  # fmt: skip
