"""What the engine uses of torch and transformers without their promise is listed here, and is there.

A version that lacks one of them fails here by its name, before anything that trains does.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

import transformers
from jinja2.compiler import CodeGenerator
from transformers import initialization

from trainer.engine.rows import has_kernel

TRAINER = Path(__file__).resolve().parents[3] / "trainer"
MODEL, LAYER = transformers.PreTrainedModel, torch.nn.Module
BORROWED: dict[str, tuple[str, Callable[[], bool]]] = {
    "_attn_implementation": (
        "transformers, PreTrainedConfig: which attention a model uses",
        lambda: hasattr(transformers.Qwen3Config(), "_attn_implementation"),
    ),
    "_compiled_call_impl": (
        "torch, Module: is the layer compiled; found by getattr, None where it is not there",
        lambda: hasattr(LAYER, "_compiled_call_impl"),
    ),
    "_foreach_add_": ("torch: the same of many tensors", lambda: hasattr(torch, "_foreach_add_")),
    "_foreach_lerp": ("torch: the same of many tensors", lambda: hasattr(torch, "_foreach_lerp")),
    "_foreach_lerp_": ("torch: the same of many tensors", lambda: hasattr(torch, "_foreach_lerp_")),
    "_foreach_mul_": ("torch: the same of many tensors", lambda: hasattr(torch, "_foreach_mul_")),
    "_hf_peft_config_loaded": (
        "transformers, PreTrainedModel: has it adapters; set once they are merged",
        lambda: hasattr(MODEL, "_hf_peft_config_loaded"),
    ),
    "_is_amx_tile_supported": (
        "torch.cpu: has the processor AMX tiles; found by getattr, no where it is not there",
        lambda: hasattr(torch.cpu, "_is_amx_tile_supported"),
    ),
    "_output_child_post": (
        "jinja2, CodeGenerator: what is written behind an expression of a template",
        lambda: hasattr(CodeGenerator, "_output_child_post"),
    ),
    "_output_child_pre": (
        "jinja2, CodeGenerator: what is written before it; with `_output_child_to_const`, for constants",
        lambda: all(hasattr(CodeGenerator, f"_output_child_{part}") for part in ("pre", "to_const")),
    ),
    "_scaled_dot_product_flash_attention_for_cpu": (
        "torch.ops.aten: attention on a CPU; without it `scaled_dot_product_attention` serves",
        has_kernel,
    ),
    "_schema": (
        "torch, OpOverload: the settings that an operation takes",
        lambda: hasattr(torch.ops.aten.add.Tensor, "_schema"),
    ),
    "_softmax_backward_data": (
        "torch: the gradient of softmax in one pass",
        lambda: hasattr(torch, "_softmax_backward_data"),
    ),
    "_supports_attention_backend": (
        "transformers, PreTrainedModel: can its attention be replaced",
        lambda: hasattr(MODEL, "_supports_attention_backend"),
    ),
    "_supports_sdpa": (
        "transformers, PreTrainedModel: which attention it generates with",
        lambda: hasattr(MODEL, "_supports_sdpa"),
    ),
}
"""Private name → whose it is and what for, and whether the installed version has it."""
MOVED: dict[str, Callable[[], bool]] = {
    "transformers.initialization.no_init_weights": lambda: hasattr(initialization, "no_init_weights"),
    "transformers.AttentionInterface.register": lambda: hasattr(transformers.AttentionInterface, "register"),
    "PreTrainedModel.gradient_checkpointing_enable, or activation_checkpointing_enable": lambda: (
        hasattr(MODEL, "gradient_checkpointing_enable") or hasattr(MODEL, "activation_checkpointing_enable")
    ),
}
"""Public names that other versions have elsewhere, or under another name."""
_USED = re.compile(r"(?:(?P<of>[\w\])]+)\.|\")(?P<name>_[a-z]\w+)")
_OURS = frozenset(("self", "cls", "ctx", "os", "sys"))
"""Whose private names are the module's own, or Python's."""


def private_names(source: str) -> set[str]:
    """Return the private names that a module takes from what is not its own."""
    return {found["name"] for found in _USED.finditer(source) if found["of"] not in _OURS}


def test_no_private_name_of_a_library_is_used_that_is_not_listed() -> None:
    used = {name for path in TRAINER.rglob("*.py") for name in private_names(path.read_text())}
    assert used == set(BORROWED)


@pytest.mark.parametrize("source", ["model._private(1)", 'getattr(torch.cpu, "_private", None)'])
def test_a_private_name_is_found_however_it_is_used(source: str) -> None:
    assert private_names(source) == {"_private"}
    assert private_names("self._private + ctx._private") == set()


@pytest.mark.parametrize("name", [*BORROWED, *MOVED])
def test_the_installed_versions_have(name: str) -> None:
    is_there = MOVED[name] if name in MOVED else BORROWED[name][1]
    assert is_there(), f"{name} is gone: {BORROWED[name][0] if name in BORROWED else 'see MOVED'}"
