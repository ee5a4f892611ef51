"""What this run really uses, read back from the model, the optimizers and the device; see the contract."""

from typing import Any

import torch
from msgspec.structs import replace

from state.contract.effective import EffectiveRun
from state.contract.request import EvaluationConfig, ModelConfig, TrainingConfig
from state.contract.run_config import RunConfig
from trainer.engine.adapters import adapter_settings, has_adapters
from trainer.engine.clock import now_text
from trainer.engine.compiling import is_compiled
from trainer.engine.model import computes_twice
from trainer.engine.optimizer import Optimizers
from trainer.engine.run_state import RunState


def effective_run(state: RunState) -> EffectiveRun:
    """Return the values in use."""
    asked, model = state.request.config, state.model
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    device = parameters[0].device
    config = RunConfig(
        model=_model(state, asked.model),
        tokenizer=asked.tokenizer,  # the session did not open with any other: their digests were compared
        chat=asked.chat,
        training=_training(state, asked.training),
        evaluation=_evaluation(state, asked.evaluation),
        checkpoint=asked.checkpoint,
        loss_guard=asked.loss_guard,
    )
    return EffectiveRun(
        written_at=now_text(),
        config_hash=state.request.config_hash,
        config=config,
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        threads=torch.get_num_threads(),
        torch_version=str(torch.__version__),
        num_parameters=sum(parameter.numel() for parameter in parameters),
    )


def _model(state: RunState, asked: ModelConfig) -> ModelConfig:
    model = state.model
    fields = model.config.to_dict()
    return replace(
        asked,
        architecture=type(model).__name__,
        vocab_size=model.get_input_embeddings().weight.shape[0],
        max_context_length=state.vocabulary.max_length,
        config={key: fields.get(key) for key in asked.config},
    )


def _training(state: RunState, asked: TrainingConfig) -> TrainingConfig:
    shelf = state.shelf
    batch_size = shelf.budget.granted_tokens // state.vocabulary.max_length
    return replace(
        asked,
        precision=state.precision,
        batch_size=batch_size,
        gradient_accumulation=shelf.documents_per_update // batch_size,
        max_length=state.vocabulary.max_length,
        seed=shelf.seed,
        packing=shelf.is_packing,
        gradient_checkpointing=computes_twice(state.model),
        compile=is_compiled(state.model),
        **_of_adamw(state.optimizers),
        **_of_matrices(state.optimizers, asked),
        **_of_method(state.model),
    )


def _of_adamw(optimizers: Optimizers) -> dict[str, Any]:
    """Return the settings of AdamW, where anything is left for it: Muon updates all of a model's adapters."""
    if "adamw" not in optimizers:
        return {}
    group = optimizers["adamw"].param_groups[0]
    return {"adam_beta1": group["betas"][0], "adam_beta2": group["betas"][1], "adam_epsilon": group["eps"]}


def _of_method(model: Any) -> dict[str, Any]:
    """Return what is trained of the model, as it says itself."""
    if not has_adapters(model):
        return {"method": "full", "lora": None}
    is_in_4_bits = getattr(model, "is_loaded_in_4bit", False)
    return {"method": "qlora" if is_in_4_bits else "lora", "lora": adapter_settings(model)}


def _of_matrices(optimizers: Optimizers, asked: TrainingConfig) -> dict[str, Any]:
    """Return the settings of whatever updates the matrices."""
    if "muon" not in optimizers:
        return {"optimizer": "adamw", "weight_decay": optimizers["adamw"].param_groups[0]["weight_decay"]}
    muon = optimizers["muon"].param_groups[0]
    own = asked.muon_learning_rate
    return {
        "optimizer": "muon",
        "weight_decay": muon["weight_decay"],
        "muon_momentum": muon["momentum"],
        "muon_learning_rate": asked.learning_rate if own is None else own,
    }


def _evaluation(state: RunState, asked: EvaluationConfig) -> EvaluationConfig:
    used = state.shelf.evaluation
    return replace(asked, held_out_fraction=used.held_out_fraction, max_rows=used.max_rows)
