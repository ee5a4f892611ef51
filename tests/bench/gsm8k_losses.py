"""GSM8K, a tiny Qwen3, the same updates in TRL's SFTTrainer: how far are the losses apart? Some ten minutes."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from peer_libraries import SFT_TRAINER, missing
from training_speed import first_request, losses_beside, write_documents

from state.contract.orders import Orders, RowShape
from state.contract.request import RunRequest
from state.contract.run_config import RunConfig, config_hash

ROWS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "gsm8k" / "train.jsonl"
PEER = Path(__file__).resolve().parent / "peers" / "sft_losses.py"
TINY = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
    "head_dim": 16, "intermediate_size": 64, "tie_word_embeddings": True,
}  # fmt: skip
LEARNING_RATE = 4e-4
BOUNDS = {"fp32": {200: 1e-5}, "bf16": {200: 1e-3, 500: 1e-2}}
"""Precision → updates → how far apart losses may be, in nats."""


def measure(folder: Path) -> Iterator[str]:
    if (why := missing(SFT_TRAINER)) is not None:
        yield f"not measured: {why}"
        return
    if not ROWS.is_file():
        yield f"not measured: {ROWS.name} is not beside the checkout"
        return
    for precision, bounds in BOUNDS.items():
        apart = distances(folder / precision, precision, max(bounds))
        for updates, bound in bounds.items():
            found = max(apart[:updates])
            yield f"{precision}, {updates} updates   at most {found:.1e} nats apart (bound: {bound:.0e})"


def distances(folder: Path, precision: str, updates: int) -> list[float]:
    """Return how far apart the losses of each update are, in nats."""
    folder.mkdir()
    request = _request(folder, precision)
    documents = folder / "documents.jsonl"
    write_documents(request, documents, updates)
    ours, theirs = losses_beside(request, documents, folder, PEER, updates)
    return [abs(a - b) for a, b in zip(ours, theirs, strict=True)]


def _request(folder: Path, precision: str) -> Path:
    """Return the demo's first request with a smaller model, and GSM8K's rows as its quest."""
    path = first_request(folder)
    asked = msgspec.json.decode(path.read_bytes(), type=RunRequest)
    config = _tiny(asked.config, precision)
    path.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(asked, config=config, config_hash=config_hash(config)))
    )
    file = path.parent / "orders.json"
    orders = msgspec.json.decode(file.read_bytes(), type=Orders)
    quest = msgspec.structs.replace(
        orders.quests[0],
        path=str(ROWS),
        digest="sha256:" + hashlib.sha256(ROWS.read_bytes()).hexdigest(),
        shape=RowShape(kind="fields", prompt="question", completion="answer"),
    )
    file.chmod(0o600)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(orders, quests=(quest,))))
    return path


def _tiny(config: RunConfig, precision: str) -> RunConfig:
    replace = msgspec.structs.replace
    training = replace(
        config.training,
        precision=precision,
        max_length=2048,
        batch_size=2,
        gradient_accumulation=2,
        learning_rate=LEARNING_RATE,
    )
    model = replace(config.model, config=TINY, max_context_length=2048)
    return replace(config, training=training, model=model)


if __name__ == "__main__":
    if (lacking := missing(SFT_TRAINER)) is not None:
        sys.exit(f"not measured: {lacking}")
    print(json.dumps(distances(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
