"""A hero with adapters, from its spec to answers; then a campaign that trains every weight, from the same commit on."""

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft", reason="needs the lora extra")
pytestmark = [pytest.mark.train, pytest.mark.long, pytest.mark.timeout(900)]

from lab import Lab, rows

from state.contract.chat import CHATML
from state.contract.request import ModelConfig
from trainer.checkpoints.load import read_manifest
from trainer.data.tokenizers import byte_tokenizer
from trainer.engine.model import new_model

SIZES = {
    **{"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1},
    **{"head_dim": 8, "intermediate_size": 32, "max_position_embeddings": 128},
}
WANTED = ModelConfig(
    init="scratch",
    base_model=None,
    family="qwen3",
    architecture="Qwen3ForCausalLM",
    vocab_size=320,
    max_context_length=128,
    config=SIZES,
)


def test_adapters_are_trained_answer_and_are_merged_by_a_campaign_that_begins_with_them(
    tmp_path: Path,
) -> None:
    lab, model = Lab(tmp_path), tmp_path / "models" / "base"
    new_model(WANTED, seed=3, special_ids={}).save_pretrained(model)
    byte_tokenizer(CHATML, 128).save_pretrained(model)
    lab.git("init", "-q", "-b", "main")
    lab.spec("realm", id="lab", active="one/campaign-001")
    lab.spec("queue", quests=[{"id": "a", "file": "data/a.jsonl"}])
    lab.spec(
        "heroes/one",
        id="one",
        model={
            **{"hf_name": str(model), "family": "qwen3", "architecture": "Qwen3ForCausalLM"},
            **{"vocab_size": 320, "context_length": 128},
        },
        training_defaults={
            **{"precision": "fp32", "gradient_accumulation": 8, "warmup_steps": 2, "max_length": 128},
            **{"method": "lora", "lora": {"rank": 4}, "learning_rate": 0.01},
        },
        chat={"template": "default"},
    )
    lab.spec("campaigns/one/campaign-001", id="campaign-001")
    lab.write("data/a.jsonl", rows(range(60)))
    lab.commit()
    said = converged(lab)
    (found,) = lab.layout.campaign("one/campaign-001").checkpoints.glob("checkpoint-*")
    assert (found / "adapter_model.safetensors").is_file(), said.stdout
    assert not (found / "model.safetensors").exists()

    answered = lab.reconcile("try", "one/campaign-001@latest", "row 1?")
    assert answered.returncode == 0, answered.stderr
    replayed = lab.reconcile("replay", "one/campaign-001@latest", timeout_seconds=300)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    proved = lab.reconcile("prove", "one/campaign-001@latest")
    assert proved.returncode == 0, proved.stderr

    lab.spec("realm", id="lab", active="one/campaign-002")
    lab.spec("queue", quests=[{"id": name, "file": f"data/{name}.jsonl"} for name in ("a", "b")])
    lab.write("data/b.jsonl", rows(range(100, 140)))
    lab.spec(
        "campaigns/one/campaign-002",
        id="campaign-002",
        starting_checkpoint="one/campaign-001@latest",
        config_overrides={"method": "full", "learning_rate": 0.0001},
    )
    lab.commit()
    said = converged(lab)
    newest = max(lab.layout.campaign("one/campaign-002").checkpoints.glob("checkpoint-*"), key=_step)
    assert (newest / "model.safetensors").is_file(), said.stdout + said.stderr
    assert read_manifest(newest).adapter_base is None
    assert lab.plan()["changes"] == []


def converged(lab: Lab) -> "subprocess.CompletedProcess[str]":
    """Apply until nothing is left; each trainer loads peft, which takes its time."""
    done = lab.reconcile("apply", "--until-converged", timeout_seconds=400)
    assert "Converged at" in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
