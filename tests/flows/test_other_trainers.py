"""Real checkpoints of the Hugging Face Trainer: migrated or imported, then trained on with what they know."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("accelerate", reason="the Hugging Face Trainer needs accelerate")
pytestmark = [pytest.mark.train, pytest.mark.long, pytest.mark.timeout(900)]

HERO = """\
id: tiny
model:
  init: scratch
  tokenizer: bytes
  family: qwen3
  architecture: Qwen3ForCausalLM
  vocab_size: 320
  context_length: 256
  config: {hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, head_dim: 16,
           intermediate_size: 64}
training_defaults: {batch_size: 4, gradient_accumulation: 1, learning_rate: 1.0e-3, warmup_steps: 1, max_length: 256}
"""
TRAIN = """
import sys, torch, transformers
from transformers import Qwen3Config, Qwen3ForCausalLM, Trainer, TrainingArguments
torch.manual_seed(1)
config = Qwen3Config(vocab_size=320, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                     num_key_value_heads=1, head_dim=16, intermediate_size=64, architectures=["Qwen3ForCausalLM"])
rows = [{"input_ids": row, "labels": row} for row in torch.randint(0, 300, (64, 12)).tolist()]
Trainer(
    model=Qwen3ForCausalLM(config),
    args=TrainingArguments(output_dir=sys.argv[1], max_steps=6, save_steps=2, logging_steps=1, use_cpu=True,
                           report_to=[], disable_tqdm=True, per_device_train_batch_size=2),
    train_dataset=rows,
    data_collator=transformers.default_data_collator,
).train()
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Hugging Face Trainer itself saved."""
    folder = tmp_path_factory.mktemp("trainer") / "current_model"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRAIN, str(folder)], check=True, capture_output=True
    )
    return folder


class Person:
    """Somebody at a terminal, with a home of their own."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        self.environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        (folder / "home").mkdir()

    def types(self, *words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "reconciler.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def commits(self, repository: Path) -> None:
        identity = ("-c", "user.name=Kim", "-c", "user.email=kim@lab")
        subprocess.run(["git", "-C", str(repository), "add", "."], check=True, env=self.environment)
        command = ["git", "-C", str(repository), *identity, "commit", "-qm", "more"]
        subprocess.run(command, check=True, env=self.environment)

    def checkpoints(self, repository: Path, campaign: str) -> dict[int, dict[str, Any]]:
        shown = self.types("--repo", str(repository), "get", "checkpoints", campaign, "--json")
        return {item["step"]: item for item in json.loads(shown)["items"]}

    def trains(self, repository: Path) -> None:
        quest = "quests:\n  - {id: sums, skill: bin, level: 3, count: 24, seed: 3}\n"
        (repository / "specs/queue.yaml").write_text(quest)
        self.commits(repository)
        self.types("--repo", str(repository), "apply", "--until-converged")


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def test_a_root_with_checkpoints_of_the_trainer_migrates_and_trains_on_from_the_newest(
    person: Person, tmp_path: Path, trained: Path
) -> None:
    import shutil

    root = tmp_path / "old"
    shutil.copytree(trained, root / "current_model")
    (root / "configs/heroes").mkdir(parents=True)
    (root / "configs/heroes/tiny.yaml").write_text(HERO)
    (root / "config.json").write_text(json.dumps({"base_model": "models/Tiny", "learning_rate": 0.002}))
    torn = root / "current_model/checkpoint-2/optimizer.pt"
    torn.write_bytes(torn.read_bytes()[:-100])

    said = person.types("migrate", str(root), "--hero", "tiny", "--apply")

    assert "checkpoint-2 is listed and never used" in " ".join(said.split())
    specs, name = tmp_path / "old-specs", "tiny/campaign-001"
    found = person.checkpoints(specs, name)
    assert {step: item["state"] for step, item in found.items() if step} == {4: "complete", 6: "complete"}
    history = json.loads((trained / "checkpoint-6/trainer_state.json").read_text())["log_history"]
    assert found[6]["train_loss"] == history[-1]["loss"]
    assert "learning_rate: 0.002" in (specs / f"specs/campaigns/{name}.yaml").read_text()
    person.types("--repo", str(specs), "plan", "--detailed-exitcode")

    person.trains(specs)

    found = person.checkpoints(specs, name)
    newest = found[max(step for step in found if step)]
    assert newest["parent_step"] == 6
    assert newest["step"] > 6
    person.types("migrate", str(root), "--undo", code=3)


def test_a_finished_run_of_the_trainer_is_imported_and_trained_on(
    person: Person, tmp_path: Path, trained: Path
) -> None:
    specs = tmp_path / "realm"
    person.types("init", str(specs), "--id", "lab")
    (specs / "specs/heroes/tiny.yaml").write_text(HERO)
    realm = specs / "specs/realm.yaml"
    realm.write_text(f"id: lab\nroot: {tmp_path / 'root'}\nactive: tiny/campaign-001\n")
    (specs / "specs/campaigns/tiny").mkdir(parents=True)
    (specs / "specs/campaigns/tiny/campaign-001.yaml").write_text(
        f"id: campaign-001\nstarting_checkpoint: {trained}\n"
    )

    person.trains(specs)

    found = person.checkpoints(specs, "tiny/campaign-001")
    assert found[6]["config_hash"] == "unknown"
    assert found[max(found)]["parent_step"] == 6
    launched = json.loads(person.types("--repo", str(specs), "get", "runs", "--json"))["items"]
    assert launched[-1]["end"] == "finished"
