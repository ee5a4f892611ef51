"""Builders: roots as older systems left them, of any shape, with checkpoints of the Hugging Face Trainer."""

import hashlib
import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

CONFIG = {
    "model_name": "tiny_0.6b",
    "base_model": "models/Tiny-0.6B",
    "batch_size": 1,
    "max_length": 2048,
    "hyperparams": {"fp_precision": "bf16", "max_length": 256, "learning_rate": 0.0004},
    "locked": {"model_architecture": "Qwen3ForCausalLM", "max_context_length": 4096, "vocab_size": 320},
}
HERO = """\
id: {hero}
name: Somebody
model: {{hf_name: models/{model}, family: qwen3, architecture: Qwen3ForCausalLM, vocab_size: 320, context_length: 4096}}
training_defaults: {{batch_size: 1, learning_rate: 4.0e-4, max_length: 512}}
"""


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def checkpoint(path: Path, step: int, *, loss: float = 0.5) -> Path:
    """Save what the Hugging Face Trainer saves, as far as headers and names can tell."""
    path.mkdir(parents=True)
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (path / "model.safetensors").write_bytes(
        struct.pack("<Q", len(header)) + header + struct.pack("<q", step)
    )
    write(path / "config.json", {"architectures": ["Qwen3ForCausalLM"], "vocab_size": 320})
    history = [{"loss": loss, "learning_rate": 0.0001, "step": step}]
    write(path / "trainer_state.json", {"global_step": step, "log_history": history})
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        (path / name).write_bytes(b"PK" + bytes(9) + b"PK\x05\x06" + bytes(18))
    return path


def single_hero(root: Path) -> Path:
    """A root of one model, with its checkpoints in current_model, one of them torn."""
    write(root / "config.json", CONFIG)
    write(root / "control/state.json", {"status": "training", "last_update": "2025-11-24T04:09:43"})
    write(root / "status/training_status.json", {"status": "idle", "current_step": 900})
    index = {"500": {"step": 500, "train_loss": 0.25, "accuracy": 0.75, "skill_name": "bin"}}
    write(root / "status/checkpoint_ledger.json", {"version": "1", "checkpoints": index})
    write(root / "queue/normal/train_bin_level1.jsonl", "{}\n")
    checkpoint(root / "current_model/checkpoint-500", 500)
    checkpoint(root / "current_model/checkpoint-700-20251124-0409", 700, loss=0.4)
    torn = checkpoint(root / "current_model/checkpoint-900", 900)
    (torn / "model.safetensors").write_bytes(b"\0" * 20)
    write(root / "current_model/README.md", "the current model\n")
    return root


def with_campaigns(root: Path, **changes: Any) -> Path:
    """A root with a live and an archived campaign of two heroes."""
    for hero, model in (("dio", "Tiny-0.6B"), ("titan", "Tiny-4B")):
        write(root / f"configs/heroes/{hero}.yaml", HERO.format(hero=hero, model=model))
    write(root / "config.json", CONFIG)
    campaign(root / "campaigns/dio/campaign-002", hero="dio", status="active", **changes)
    campaign(root / "campaigns/archive/titan/campaign-001", hero="titan", status="archived")
    pointer = {"hero_id": "dio", "campaign_id": "campaign-002", "activated_at": "2025-12-02T04:59:18"}
    write(root / "control/active_campaign.json", pointer | {"_comment": "Scroll of Destiny"})
    (root / "campaigns/active").symlink_to("/somewhere/else/campaigns/dio/campaign-002")
    return root


def campaign(path: Path, *, hero: str, status: str, **changes: Any) -> None:
    record = {
        "id": path.name,
        "hero_id": hero,
        "name": f"{hero}'s life",
        "created_at": "2025-11-22T04:00:00Z",
        "status": status,
        "current_step": 300,
        "skills_focus": ["bin"],
        "milestones": [{"step": 200, "note": "half way", "date": "2025-11-24", "metrics": None}],
        "peak_metrics": {"lowest_loss": 0.125},
        "own_key": "kept",
    }
    write(path / "campaign.json", record | changes)
    checkpoint(path / "checkpoints/checkpoint-200", 200)
    checkpoint(path / "checkpoints/checkpoint-300", 300)
    write(path / "checkpoints/checkpoint-300/.ledger.json", {"step": 300, "train_loss": 0.3, "accuracy": 0.5})


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return everything below a root but the migrations' own folder: what it is, how, and its digest."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.startswith(("control/migrations", "control/reconciler.lock")) or name == "control":
            continue
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = ("file", path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        else:
            found[name] = ("folder",)
    return found


def contents(root: Path) -> Counter[str]:
    """Return how often each content lies below a root, wherever it lies."""
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
