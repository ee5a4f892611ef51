"""What is computed in another way than a model's own modules has the same result."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

import transformers

from trainer.engine.attention import Documents, use_documents
from trainer.engine.shortcuts import use_shortcuts

SIZES = {
    "vocab_size": 97, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 48, "max_position_embeddings": 64,
}  # fmt: skip
KNOWN = ("Qwen3ForCausalLM", "Qwen2ForCausalLM", "LlamaForCausalLM", "MistralForCausalLM")
READ = torch.tensor([1, 2, 6, 8])


def a_model(architecture: str) -> Any:
    model_class = getattr(transformers, architecture)
    torch.manual_seed(3)
    model = model_class(model_class.config_class(**SIZES, attn_implementation="sdpa"))
    for name, parameter in model.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter, mean=1.0, std=0.2)  # weights of 1 would hide a mistake
    return model.train()


def learnt_where_read(model: Any, read: Any) -> tuple[Any, dict[str, Any]]:
    """Return the hidden states at the places that are read, and all gradients of their weighted sum."""
    ids = torch.arange(10)[None] * 7 % SIZES["vocab_size"]
    documents = Documents((10,), torch.tensor([0, 10], dtype=torch.int32), read=read)
    hidden = model.base_model(ids, use_cache=False, documents=documents).last_hidden_state[0]
    found = hidden if read is not None else hidden[READ]
    model.zero_grad()
    (found * torch.linspace(-1, 1, found.numel()).view_as(found)).sum().backward()
    return found.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("architecture", KNOWN)
def test_outputs_and_gradients_are_those_of_the_models_own_modules(architecture: str) -> None:
    theirs, own = a_model(architecture), a_model(architecture)
    wanted, gradients = learnt_where_read(theirs, None)
    use_documents(own)
    found, ours = learnt_where_read(own, READ)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    assert ours.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(ours[name], gradient, rtol=1e-4, atol=1e-5, msg=name)


def test_reading_other_places_gives_other_gradients() -> None:
    """The negative control: what is read does decide."""
    model = a_model("Qwen3ForCausalLM")
    use_documents(model)
    _, some = learnt_where_read(model, READ)
    _, others = learnt_where_read(model, READ + 1)
    assert not torch.allclose(
        some["model.layers.0.mlp.up_proj.weight"], others["model.layers.0.mlp.up_proj.weight"]
    )


def test_the_last_layers_block_sees_only_the_places_that_are_read() -> None:
    model, seen = a_model("Qwen3ForCausalLM"), []
    use_documents(model)
    for layer in model.base_model.layers:
        layer.mlp.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    learnt_where_read(model, READ)
    assert seen == [10, 10, len(READ)]


@pytest.mark.parametrize("architecture", [name for name in KNOWN if name != "MistralForCausalLM"])
def test_the_last_layer_makes_outputs_only_where_they_are_read(architecture: str) -> None:
    model = a_model(architecture)
    seen: dict[str, list[int]] = {"q_proj": [], "k_proj": [], "v_proj": [], "o_proj": []}
    use_documents(model)
    for layer in model.base_model.layers:
        for name, sizes in seen.items():
            projection = getattr(layer.self_attn, name)
            projection.register_forward_pre_hook(lambda _, given, to=sizes: to.append(given[0].shape[1]))
    learnt_where_read(model, READ)
    assert seen["q_proj"] == seen["k_proj"] == seen["v_proj"] == [10, 10, 10]
    assert seen["o_proj"] == [10, 10, len(READ)]


def test_under_autocast_norms_stay_in_float32_as_the_models_own() -> None:
    """`vecdot` goes to bf16 there: its rounding moves a norm by 2e-3, a hundred times this bound."""
    theirs, own = a_model("Qwen3ForCausalLM").base_model.norm, a_model("Qwen3ForCausalLM")
    use_shortcuts(own)
    given = torch.randn(20, 32, generator=torch.Generator().manual_seed(4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, wanted = own.base_model.norm(given), theirs(given)
        assert torch.linalg.vecdot(given, given).dtype == torch.bfloat16
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=2e-6, atol=2e-6)


def test_generation_has_its_cache_and_the_models_own_attention() -> None:
    theirs, own = a_model("Qwen3ForCausalLM").eval(), a_model("Qwen3ForCausalLM").eval()
    use_documents(own)
    own.set_attn_implementation("sdpa")
    asked = {"input_ids": torch.arange(6)[None], "max_new_tokens": 8, "do_sample": False, "pad_token_id": 0}
    assert own.generate(**asked).tolist() == theirs.generate(**asked).tolist()


def test_without_places_to_read_every_token_has_its_output() -> None:
    model = a_model("Qwen3ForCausalLM")
    use_documents(model)
    ids = torch.arange(10)[None]
    documents = Documents((10,), torch.tensor([0, 10], dtype=torch.int32))
    assert model.base_model(ids, use_cache=False, documents=documents).last_hidden_state.shape[1] == 10


def test_a_frozen_norm_gets_no_gradient_and_passes_it_on() -> None:
    model = a_model("Qwen3ForCausalLM")
    use_documents(model)
    _, wanted = learnt_where_read(model, READ)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("norm" not in name)
    model.zero_grad(set_to_none=True)
    _, found = learnt_where_read(model, READ)
    assert not [name for name in found if "norm" in name]
    assert all(torch.equal(found[name], wanted[name]) for name in found)


def test_a_model_that_is_not_known_by_name_keeps_its_own_forward_pass() -> None:
    model_class = transformers.Gemma2ForCausalLM
    model = model_class(model_class.config_class(**SIZES))
    use_shortcuts(model)
    assert not [name for name, module in model.named_modules() if "forward" in vars(module)]


def test_the_weights_keep_their_names() -> None:
    model = a_model("Qwen3ForCausalLM")
    before = set(model.state_dict())
    use_shortcuts(model)
    assert set(model.state_dict()) == before
