"""Training goes on from weights that other software saved: the same weights, a fresh optimizer."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

import transformers
from builders import TINY, Realm, a_config, a_model, orders
from safetensors.torch import load_file, save_file
from seen import losses, manifest, why

from state.contract.imported import Imported
from state.contract.manifest import with_digest
from state.unknown import unknown_manifest
from trainer.checkpoints.load import file_entry
from trainer.engine.run import run


def as_other_software_saves(realm: Realm, step: int, *, shards: str) -> Path:
    """Save the weights of a checkpoint again as transformers does, in shards; return that folder."""
    ours = realm.campaign.checkpoint(step)
    model = transformers.AutoModelForCausalLM.from_pretrained(ours, dtype="float32")
    theirs = realm.layout.root / "theirs"
    model.save_pretrained(theirs, max_shard_size=shards)
    (theirs / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return theirs


def take_in(folder: Path, realm: Realm, step: int) -> None:
    """Put a folder of other software in the place of a checkpoint, as the reconciler does."""
    place = realm.campaign.checkpoint(step)
    shutil.rmtree(place)
    shutil.copytree(folder, place)
    imported = Imported(producer="hugging-face-trainer", source=str(folder))
    made = unknown_manifest(step, "2026-01-31T12:00:00Z", (0.5, None, None), imported)
    files = tuple(file_entry(place, path.name) for path in sorted(place.iterdir()))
    whole = msgspec.structs.replace(made, campaign_uid="c" * 16, campaign="tiny/campaign-001", files=files)
    (place / "manifest.json").write_bytes(msgspec.json.encode(with_digest(whole)))


def saved_elsewhere(realm: Realm, config: Any = None, shards: str = "20KB") -> Path:
    run(realm.run(orders(realm.quest(), goal_updates=2), config).request)
    return as_other_software_saves(realm, 2, shards=shards)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
def test_the_losses_are_those_of_a_fresh_optimizer_on_the_same_weights(realm: Realm, *, tied: bool) -> None:
    config = a_config(model=a_model(config={**TINY, "tie_word_embeddings": tied}))
    theirs = saved_elsewhere(realm, config)
    assert len(list(theirs.glob("model-*.safetensors"))) > 1
    ours = realm.run(orders(realm.quest(word="new")), config, resume_step=2, optimizer_state="fresh")
    run(ours.request)
    for step in (6, 8):
        shutil.rmtree(realm.campaign.checkpoint(step), ignore_errors=True)
    take_in(theirs, realm, 2)

    from_theirs = realm.run(orders(realm.quest(word="new")), config, resume_step=2, optimizer_state="fresh")
    run(from_theirs.request)

    assert why(from_theirs).reason == "finished", why(from_theirs).message
    assert losses(from_theirs) == losses(ours)


def test_imported_weights_that_are_not_finite_fail_the_model_before_any_row(realm: Realm) -> None:
    theirs = saved_elsewhere(realm, shards="1GB")
    weights = load_file(theirs / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, theirs / "model.safetensors", {"format": "pt"})
    take_in(theirs, realm, 2)

    files = realm.run(orders(realm.quest(word="new"), goal_updates=4), resume_step=2)
    run(files.request)

    assert (why(files).failure_class, why(files).quest_id) == ("settings", None)
    assert (
        "1 tensor of the model not finite (NaN or infinite), for example 'model.norm.weight'"
        in why(files).message
    )


def test_what_is_saved_next_is_ours_and_descends_from_the_import(realm: Realm) -> None:
    theirs = saved_elsewhere(realm)
    take_in(theirs, realm, 2)
    digest = manifest(realm, 2).digest

    run(realm.run(orders(realm.quest(word="new"), goal_updates=4), resume_step=2).request)

    saved = manifest(realm, 4)
    assert (saved.imported, saved.parent_step, saved.parent_digest) == (None, 2, digest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 64}, "hidden_size is 64; the run asks for 32"),
        ({"architectures": ["LlamaForCausalLM"]}, "architectures is ['LlamaForCausalLM']"),
        ({"vocab_size": 7}, "vocab_size is 7; the run asks for"),
    ],
)
def test_weights_of_another_model_are_refused_by_name(
    realm: Realm, change: dict[str, Any], message: str
) -> None:
    theirs = saved_elsewhere(realm)
    config = json.loads((theirs / "config.json").read_text())
    (theirs / "config.json").write_text(json.dumps(config | change))
    take_in(theirs, realm, 2)

    ended = realm.run(orders(realm.quest(word="new")), resume_step=2)
    run(ended.request)

    assert why(ended).failure_class == "environment"
    assert message in why(ended).message
