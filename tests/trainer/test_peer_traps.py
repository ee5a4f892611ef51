"""What the popular trainers get wrong where this one does not: the negative controls of two promises."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
torch = pytest.importorskip("torch")
pytest.importorskip("accelerate", reason="needs the peers extra")
pytestmark = [pytest.mark.train, pytest.mark.long]

from builders import TINY
from transformers import Qwen3Config, Qwen3ForCausalLM, Trainer, TrainingArguments

ROWS, GROWN, BATCH = 200, 220, 2


class Noting(Trainer):
    """Notes the rows that it learns: each is four times its own number."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.learnt: list[int] = []

    def training_step(self, model: Any, inputs: Any, *given: Any, **named: Any) -> Any:
        self.learnt += inputs["input_ids"][:, 0].tolist()
        return super().training_step(model, inputs, *given, **named)


def learnt(folder: Path, num_rows: int, *, updates: int, resume: Path | None = None) -> list[int]:
    """Return the rows that a Hugging Face Trainer learns, on from a checkpoint where one is given."""
    torch.manual_seed(0)
    settings = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=BATCH, max_steps=updates, save_steps=updates,
        report_to=[], use_cpu=True, disable_tqdm=True, logging_strategy="no", seed=1, remove_unused_columns=False,
    )  # fmt: skip
    rows = [{"input_ids": [row] * 4, "labels": [row] * 4} for row in range(num_rows)]
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=GROWN, **TINY))
    trainer = Noting(model=model, args=settings, train_dataset=rows)
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    return trainer.learnt


def test_a_hugging_face_trainer_repeats_and_skips_rows_of_a_file_that_grew(tmp_path: Path) -> None:
    """Ours: `test_a_file_that_grew_from_200_to_220_rows_is_learnt_with_none_repeated_and_none_skipped`."""
    before = learnt(tmp_path, ROWS, updates=61)
    after = learnt(tmp_path, GROWN, updates=GROWN // BATCH, resume=tmp_path / "checkpoint-61")
    times = Counter([*before, *after])
    assert len(before) + len(after) == GROWN  # one epoch, as it counts
    assert sum(number > 1 for number in times.values()) > 30
    assert GROWN - len(times) > 30


def test_a_hugging_face_trainer_goes_on_exactly_with_a_file_that_stayed(tmp_path: Path) -> None:
    """What is noted here is right: the same count finds nothing where there is nothing."""
    before = learnt(tmp_path, ROWS, updates=61)
    after = learnt(tmp_path, ROWS, updates=ROWS // BATCH, resume=tmp_path / "checkpoint-61")
    assert Counter([*before, *after]) == Counter(range(ROWS))


def test_trls_packing_loses_what_does_not_fit() -> None:
    """Ours: `test_every_document_is_packed_once_and_whole`."""
    pytest.importorskip("trl")
    from datasets import Dataset
    from trl import pack_dataset

    rows = [list(range(50)), list(range(10))]
    packed = pack_dataset(Dataset.from_dict({"input_ids": rows}), seq_length=32, strategy="bfd")
    assert sum(map(len, packed["input_ids"])) == 32 + 10
