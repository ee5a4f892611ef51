"""Adapters on a checkpoint, copied elsewhere with it: the line that `export` prints opens and merges them."""

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
peft = pytest.importorskip("peft", reason="needs the lora extra")
pytestmark = pytest.mark.train

from adapters import adapter_training, on_pretrained, pretrained, taken_over
from builders import Realm, a_config, a_training, orders
from seen import why
from transformers import AutoModelForCausalLM

from reconciler.observed.start_folders import observe_start_folder
from state.contract.adapters import opened_with_peft
from trainer.engine.answer import load_checkpoint
from trainer.engine.run import run
from trainer.engine.weights_fit import checkpoint_fit

NAMES = {"PeftModel": peft.PeftModel, "AutoModelForCausalLM": AutoModelForCausalLM}


@pytest.fixture
def adapted(realm: Realm, tmp_path: Path) -> tuple[str, str]:
    """The folders of a full checkpoint and of adapters that were trained on it, as an export has them."""
    assert run(realm.run(orders(realm.quest(), goal_updates=3)).request) == 0
    taken_over(realm, 3)
    files = realm.run(
        orders(realm.quest()), a_config(training=adapter_training()), resume_step=3, optimizer_state="fresh"
    )
    assert run(files.request) == 0, why(files).message
    for step in (3, 8):
        shutil.copytree(realm.campaign.checkpoint(step), tmp_path / f"usb/checkpoint-{step}")
    return str(tmp_path / "usb/checkpoint-3"), str(tmp_path / "usb/checkpoint-8")


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # peft's own
def test_the_line_that_export_prints_opens_both_and_what_it_merges_begins_a_campaign(
    adapted: tuple[str, str], tmp_path: Path
) -> None:
    base, adapters = adapted
    opened = eval(opened_with_peft(base, adapters), NAMES)  # noqa: S307 - the line that people are given
    ids = torch.arange(12)[None]
    with torch.no_grad():
        ours, theirs = (
            one.eval()(input_ids=ids).logits for one in (load_checkpoint(Path(adapters))[0], opened)
        )
    assert torch.equal(ours, theirs)

    opened.merge_and_unload().save_pretrained(tmp_path / "merged")

    assert checkpoint_fit(tmp_path / "merged").problem is None
    found = observe_start_folder(str(tmp_path / "merged"))
    assert (found.problem, found.below) == (None, None)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    with torch.no_grad():
        assert (merged.eval()(input_ids=ids).logits - ours).abs().max() < 1e-5


@pytest.mark.parametrize("place", [".", "segments/1"])
def test_the_checkpoint_below_adapters_is_found_where_an_export_lays_it(
    adapted: tuple[str, str], tmp_path: Path, place: str
) -> None:
    base, adapters = adapted
    moved = tmp_path / "usb" / place / "checkpoint-8"
    moved.parent.mkdir(parents=True, exist_ok=True)
    Path(adapters).rename(moved)
    assert observe_start_folder(str(moved)).below == base


def test_adapters_on_a_checkpoint_do_not_name_the_weights_that_it_began_with(
    realm: Realm, tmp_path: Path
) -> None:
    """A loader that goes by the name would put them on other weights, without a word."""
    folder = pretrained(tmp_path / "base")
    full = on_pretrained(folder, a_training())
    assert run(realm.run(orders(realm.quest(), goal_updates=3), full, model_dir=str(folder)).request) == 0
    taken_over(realm, 3)
    lora = on_pretrained(folder, adapter_training())
    begins = realm.run(
        orders(realm.quest()), lora, resume_step=3, optimizer_state="fresh", model_dir=str(folder)
    )
    assert run(begins.request) == 0, why(begins).message
    said = json.loads((realm.campaign.checkpoint(8) / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] is None
