"""Heroes with adapters, as tests train them."""

from pathlib import Path
from typing import Any

import msgspec
from builders import Realm, a_config, a_model, a_training

from state.contract.adapters import AdapterBase
from state.contract.chat import CHATML, template_digest
from state.contract.manifest import Origin, with_digest
from state.contract.request import ChatConfig, LoraConfig, RunConfig, TokenizerConfig, TrainingConfig
from state.contract.run_config import ALL_LINEAR
from state.contract.tokenizer_files import tokenizer_files_digest
from trainer.checkpoints.load import read_manifest


def a_lora(**changes: Any) -> LoraConfig:
    usual: dict[str, Any] = {"rank": 4, "alpha": 8.0, "dropout": 0.1, "target_modules": (ALL_LINEAR,)}
    return LoraConfig(**(usual | changes))


def adapter_training(method: str = "lora", **changes: Any) -> TrainingConfig:
    usual = {"method": method, "lora": a_lora(), "learning_rate": 2e-2}
    return a_training(**(usual | changes))


def pretrained(folder: Path, *, seed: int = 5) -> Path:
    """Write a model folder with random weights and its tokenizer."""
    from trainer.data.tokenizers import byte_tokenizer
    from trainer.engine.model import new_model

    new_model(a_model(), seed=seed, special_ids={}).save_pretrained(folder)
    byte_tokenizer(CHATML, 128).save_pretrained(folder)
    return folder


def on_pretrained(folder: Path, training: TrainingConfig, **changes: Any) -> RunConfig:
    """Return the config of a hero whose weights lie in the folder."""
    model = a_model(init="pretrained", base_model="org/base", config={})
    return msgspec.structs.replace(
        a_config(model=model, training=training, **changes),
        tokenizer=TokenizerConfig(kind="pretrained", digest=tokenizer_files_digest(folder)),
        chat=ChatConfig(template="default", digest=template_digest(CHATML)),
    )


def taken_over(realm: Realm, step: int) -> None:
    """Make a checkpoint of the campaign the one that it began with, as the reconciler takes one over."""
    folder = realm.campaign.checkpoint(step)
    manifest = read_manifest(folder)
    origin = Origin(
        campaign_uid="o" * 16, campaign="other/campaign-001", segment=1, step=step, digest=manifest.digest
    )
    copied = with_digest(
        msgspec.structs.replace(manifest, generation=0, attempt=0, cursor=(), learnt=(), origin=origin)
    )
    path = folder / "manifest.json"
    folder.chmod(0o700)
    path.chmod(0o600)
    path.write_bytes(msgspec.json.encode(copied))


def base_of(realm: Realm, step: int) -> AdapterBase | None:
    return read_manifest(realm.campaign.checkpoint(step)).adapter_base
