"""The linear layers of a model's body, by its architecture: what adapters may be put on. Pure."""

LLAMA_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Of one layer of a model like Llama: attention, then feed-forward."""
_LIKE_LLAMA = ("Gemma", "Gemma2", "Gemma3", "Llama", "Mistral", "Olmo2", "Qwen2", "Qwen3", "SmolLM3")
LINEAR_LAYERS = {f"{name}ForCausalLM": LLAMA_LAYERS for name in _LIKE_LLAMA} | {
    "PhiForCausalLM": ("q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"),
    "Phi3ForCausalLM": ("qkv_proj", "o_proj", "gate_up_proj", "down_proj"),
}
"""Architecture → the last parts of the names of its linear layers, the head left out, as transformers has
them. Of others only the model itself tells."""
