"""A checkpoint is made again in the chat template that it was trained in, though the model has another one by now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

from click.testing import CliRunner, Result
from lab import Lab, realm, rows

from reconciler.cli.group import reconcile
from state.contract.chat import CHATML, template_digest

pytestmark = pytest.mark.train

PIP = "pip/campaign-001"
SIZES = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 64, "head_dim": 8, "max_position_embeddings": 128, "tie_word_embeddings": True,
}  # fmt: skip


def a_model(folder: Path) -> Path:
    from state.contract.run_config import ModelConfig
    from trainer.data.tokenizers import byte_tokenizer
    from trainer.engine.model import new_model

    wanted = ModelConfig(
        init="scratch", base_model=None, family="qwen3", architecture="Qwen3ForCausalLM",
        vocab_size=320, max_context_length=128, config=SIZES,
    )  # fmt: skip
    new_model(wanted, seed=3, special_ids={}).save_pretrained(folder)
    byte_tokenizer(CHATML, 128).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A campaign of a model with a template of its own, which was edited once two checkpoints were saved."""
    lab = Lab(tmp_path_factory.mktemp("trained"))
    lab.git("init", "-q", "-b", "main")
    spec = realm(PIP)
    spec["defaults"]["checkpoint"]["every_updates"] = 4
    spec["defaults"]["evaluation"]["held_out"] = 0
    lab.spec("realm", **spec)
    model = {
        "hf_name": str(a_model(lab.folder / "model")),
        "family": "qwen3",
        "architecture": "Qwen3ForCausalLM",
    }
    lab.spec(
        "heroes/pip",
        id="pip",
        model=model | {"vocab_size": 320, "context_length": 128},
        chat={"template": "default"},
        training_defaults={"learning_rate": 0.001, "max_length": 64, "gradient_accumulation": 2},
    )
    lab.spec("campaigns/pip/campaign-001", id="campaign-001")
    lab.spec("queue", quests=[{"id": "sums", "file": "data/sums.jsonl"}])
    lab.write("data/sums.jsonl", rows(range(16)))
    lab.commit()
    lab.converge()
    assert [row.step for row in lab.ledger(PIP)] == [4, 8]
    (lab.folder / "model" / "chat_template.jinja").write_text(CHATML.replace("'\\n'", "' \\n'"))
    yield lab
    lab.end()


def replay(lab: Lab, checkpoint: str) -> Result:
    given = ["--repo", str(lab.repository), "--root", str(lab.layout.root), "replay", checkpoint]
    return CliRunner().invoke(reconcile, given, env={"HOME": str(lab.home), "OMP_NUM_THREADS": "1"})


def test_the_template_is_that_of_its_parent_where_the_model_has_another(trained: Lab) -> None:
    done = replay(trained, f"{PIP}@8")
    assert done.output.splitlines()[0] == f"{PIP}@8: made again from {PIP}@4, 1 checkpoint."
    assert done.exit_code == 0, done.output


def test_where_no_checkpoint_has_it_the_file_to_bring_back_is_named(trained: Lab) -> None:
    saved = [trained.layout.campaign(PIP).checkpoint(step) / "chat_template.jinja" for step in (4, 8)]
    for file in saved:
        file.parent.chmod(0o700)
        file.rename(file.with_name("moved"))
    done = replay(trained, f"{PIP}@8")
    for file in saved:  # the other test may come after this one
        file.with_name("moved").rename(file)
    file = trained.folder / "model" / "chat_template.jinja"
    assert done.exit_code == 3
    assert f"({template_digest(CHATML)}); put that text back as {file}" in done.output
