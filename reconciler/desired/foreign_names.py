"""What other trainers call things (transformers, TRL, axolotl, LLaMA-Factory), and how each is said here.

Asked by `validation` about keys that a spec does not have, and by `unsupported` about values. Nothing is
taken over under a foreign name: some of them count other things, such as shares where here are updates.
"""

from reconciler.desired.mistakes import nearest_name

_QUEUE = "here: epochs of the quest, in specs/queue.yaml"
_GOAL = "here: goal: {updates: ...} of the campaign"
_ANSWERS = "remove it: only what the assistant says is learnt"
_ITSELF = "remove it: the fastest one that is here is used"
_METRICS = "remove it: every update is in the run's metrics.jsonl"
_GOES_ON = "remove it: a run goes on from the newest healthy checkpoint"
_EXPORT = "remove it; a checkpoint is copied out by: reconcile export CAMPAIGN@STEP --to DIR"

_SETTINGS = {
    "lr": "learning_rate",
    "micro_batch_size": "batch_size",
    "per_device_train_batch_size": "batch_size",
    "train_batch_size": "batch_size",
    "gradient_accumulation_steps": "gradient_accumulation",
    "grad_accum": "gradient_accumulation",
    "optim": "optimizer",
    "lr_scheduler_type": "lr_scheduler",
    "scheduler": "lr_scheduler",
    "warmup_ratio": "warmup_steps, in updates instead of a share",
    "cosine_min_lr_ratio": "final_rate_ratio",
    "max_seq_length": "max_length",
    "max_seq_len": "max_length",
    "sequence_len": "max_length",
    "cutoff_len": "max_length",
    "model_max_length": "max_length",
    "max_grad_norm": "clip",
    "gradient_clipping": "clip",
    "data_seed": "seed",
    "bf16": "precision: bf16",
    "torch_dtype": "precision",
    "dtype": "precision",
    "fp16": "precision: bf16 (fp16 is not trained in)",
    "torch_compile": "compile",
    "sample_packing": "packing",
    "eval_steps": "evaluation.every_updates",
    "eval_strategy": "evaluation.every_updates",
    "evaluation_strategy": "evaluation.every_updates",
    "val_set_size": "evaluation.held_out",
    "test_size": "evaluation.held_out",
    "save_strategy": "checkpoint.every_updates",
    "adapter": "method",
    "finetuning_type": "method",
    "use_peft": "method: lora",
    "load_in_8bit": "method: qlora, in 4 bits",
    "peft_config": "lora",
    "r": "lora.rank",
    "lora_r": "lora.rank",
    "lora_rank": "lora.rank",
    "lora_alpha": "lora.alpha",
    "lora_dropout": "lora.dropout",
    "lora_target": "lora.target_modules",
    "lora_target_modules": "lora.target_modules",
    "lora_target_linear": "lora.target_modules: all-linear",
}
"""Foreign key → the training setting that says it."""

_ELSEWHERE = {
    "num_train_epochs": _QUEUE,
    "num_epochs": _QUEUE,
    "epochs": _QUEUE,
    "max_steps": _GOAL,
    "train_on_inputs": _ANSWERS,
    "assistant_only_loss": _ANSWERS,
    "completion_only_loss": _ANSWERS,
    "attn_implementation": _ITSELF,
    "flash_attention": _ITSELF,
    "logging_steps": _METRICS,
    "report_to": _METRICS,
    "resume_from_checkpoint": _GOES_ON,
    "push_to_hub": _EXPORT,
}
"""Foreign key → what to do instead: no training setting says it."""

_VALUES = {
    "adamw_fused": "adamw",
    "adamw_hf": "adamw",
    "adamw_torch": "adamw",
    "adamw_torch_fused": "adamw",
    "constant_with_warmup": "constant",
    "cosine_with_min_lr": "cosine",
    "warmup_stable_decay": "wsd",
}
"""Foreign name of an optimizer or a schedule → ours, which does the same."""


def said_here(key: str, settings: str) -> str | None:
    """Return what to do about a key of another trainer, or None where it is none.

    `settings` is where the training settings are to be said; empty: the key stands among them.
    """
    if (setting := _SETTINGS.get(key)) is not None:
        return f"here: {setting}" + (f", under {settings}" if settings else "")
    return _ELSEWHERE.get(key)


def meant_value(found: str, known: tuple[str, ...]) -> str | None:
    """Return the known value that is the same as a foreign one, else the one that is most like it."""
    same = _VALUES.get(found)
    return same if same in known else nearest_name(found, known)
