"""Chat templates: how a conversation becomes text. The built-in one, and where a model keeps its own."""

import hashlib
import json
from pathlib import Path

CHATML = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""`<|im_start|>role`, a line end, the content, `<|im_end|>` and a line end, for each message; no default
system message, no empty think block."""

BUILT_IN: dict[str, str] = {"chatml": CHATML}
"""Templates that need no model, by name."""

MODEL_OWN = frozenset(
    {
        "default",
        "gemma_chat",
        "llama_chat",
        "mistral_chat",
        "phi_chat",
        "qwen2_chat",
        "qwen3_chat",
        "smollm2_chat",
    }
)
"""Names that hero files give to the template that ships with the model's own tokenizer."""


class NoTemplateError(Exception):
    """A model's folder has no chat template of its own."""


def is_built_in(name: str) -> bool:
    """Is this one of our own templates, for which no model file is read?"""
    return name in BUILT_IN


def is_model_own(name: str) -> bool:
    """Does this name stand for the template that ships with the model?"""
    return name in MODEL_OWN


def template_digest(text: str) -> str:
    """Return `sha256:` and 64 hex digits over the template's text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def model_template(folder: Path) -> str:
    """Return a model's own chat template: chat_template.jinja, else the one in its tokenizer config.

    Raises:
        NoTemplateError: neither is there, or the config names several.
    """
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    text = _template_in(config) if config.is_file() else None
    if text is None:
        raise NoTemplateError(
            f"{folder}: no chat template here; expected chat_template.jinja, or one text under "
            f"chat_template in tokenizer_config.json. Set chat.template: {', '.join(sorted(BUILT_IN))}."
        )
    return text


def _template_in(config: Path) -> str | None:
    try:
        value = json.loads(config.read_bytes())
    except (ValueError, RecursionError) as error:
        raise NoTemplateError(f"{config}: not JSON ({error}). Download the model again.") from error
    text = value.get("chat_template") if isinstance(value, dict) else None
    return text if isinstance(text, str) else None
