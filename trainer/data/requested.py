"""What a request asks for, compared with what is here: never another tokenizer or template."""

from pathlib import Path

from state.contract.chat import BUILT_IN, is_built_in, is_model_own, model_template, template_digest
from state.contract.request import ChatConfig, RunConfig
from trainer.data.rendering import Renderer
from trainer.data.templates import ChatTemplate, TemplateError
from trainer.data.tokenizers import requested_encoder


def requested_renderer(config: RunConfig, model_dir: Path | None) -> Renderer:
    """Return the renderer of a run.

    Raises:
        TokenizerError: the tokenizer is missing or another one than the config was hashed with.
        TemplateError: the same of the chat template, or it is not valid.
        NoTokenizerError, NoTemplateError: the model's folder has none.
    """
    encoder = requested_encoder(config.tokenizer, model_dir)
    template = ChatTemplate(requested_template(config.chat, model_dir), encoder.names)
    return Renderer(encoder, template, config.training.max_length)


def requested_template(chat: ChatConfig, model_dir: Path | None) -> str:
    """Return the text of the chat template that a request names.

    Raises:
        TemplateError: there is none of that name, or its text is another one.
        NoTemplateError: the model's folder has none.
    """
    if is_built_in(chat.template):
        text = BUILT_IN[chat.template]
    elif is_model_own(chat.template) and model_dir is not None:
        text = model_template(model_dir)
    else:
        known = ", ".join(sorted(BUILT_IN))
        raise TemplateError(
            f"chat template {chat.template!r} is not built in, and no model has it; known: {known}"
        )
    if template_digest(text) != chat.digest:
        raise TemplateError(
            f"the text of chat template {chat.template!r} has the digest {template_digest(text)}, "
            f"the request names {chat.digest}; plan again, so that the change is seen"
        )
    return text
