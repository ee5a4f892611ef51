"""One side of the comparison at 151,936 tokens, in a process of its own: prints its updates and its peak memory."""

import json
import os
import resource
import sys
import tempfile
import time
from array import array
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import torch
from torch.utils.data import SequentialSampler
from transformers import Qwen3Config, Qwen3ForCausalLM, Trainer, TrainerCallback, TrainingArguments

VOCABULARY, WIDTH, LAYERS = 151_936, 128, 4
BATCH, ACCUMULATION, RATE = 4, 2, 1e-3


def model():
    torch.manual_seed(0)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=4,
            num_key_value_heads=2, head_dim=32, intermediate_size=384, tie_word_embeddings=True,
        )
    ).float()  # fmt: skip


def documents(num_updates):
    """Return documents of 32 to 160 tokens, the second half of each trained."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(num_updates * BATCH * ACCUMULATION):
        length = int(torch.randint(32, 161, (), generator=generator))
        found.append(torch.randint(0, VOCABULARY, (length,), generator=generator).tolist())
    return found


def ours(rows):
    from trainer.data.documents import Document
    from trainer.data.packing import num_trained_tokens, pack
    from trainer.data.tensors import to_tensors
    from trainer.engine.attention import use_documents
    from trainer.engine.host_memory import keep_freed_memory
    from trainer.engine.losses import summed_loss

    keep_freed_memory()
    trained = model().train()
    use_documents(trained)
    optimizer = torch.optim.AdamW(trained.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    per_update = BATCH * ACCUMULATION
    for start in range(0, len(rows), per_update):
        chosen = [
            Document(row=number, ids=array("i", ids), spans=((len(ids) // 2, len(ids)),))
            for number, ids in enumerate(rows[start : start + per_update])
        ]
        count, total = num_trained_tokens(chosen), 0.0
        for batch in (to_tensors(flat, "cpu") for flat in pack(chosen, BATCH * 512)):
            loss = summed_loss(trained, batch) / count
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(trained.parameters(), 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tell(total)


def theirs(rows):
    class Told(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **kwargs):  # noqa: ARG002 - its base class says so
            if logs and "loss" in logs:
                tell(float(logs["loss"]))

    class InOrder(Trainer):
        def _get_train_sampler(self, train_dataset=None):  # noqa: ARG002 - the same
            return SequentialSampler(self.train_dataset)

    def filled(chosen):
        longest = max(map(len, chosen))
        ids = torch.zeros(len(chosen), longest, dtype=torch.int64)
        labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
        for row, one in enumerate(chosen):
            half, size = len(one) // 2, len(one)
            ids[row, :size], mask[row, :size] = torch.tensor(one), 1
            labels[row, half:size] = torch.tensor(one[half:])
        return {"input_ids": ids, "labels": labels, "attention_mask": mask}

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=BATCH, gradient_accumulation_steps=ACCUMULATION,
            learning_rate=RATE, lr_scheduler_type="constant", weight_decay=0.0, max_steps=len(rows) // 8,
            logging_steps=1, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True,
            remove_unused_columns=False,
        )  # fmt: skip
        InOrder(
            model=model(), args=settings, train_dataset=rows, data_collator=filled, callbacks=[Told()]
        ).train()


def tell(loss):
    seconds = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu_seconds": seconds, "loss": loss, "peak_bytes": peak}), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"ours": ours, "theirs": theirs}[sys.argv[1]](documents(int(sys.argv[2])))
