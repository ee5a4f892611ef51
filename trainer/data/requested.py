"""What a request asks for, compared with what is here: never another tokenizer or template."""

from pathlib import Path

from state.contract.chat import BUILT_IN, is_built_in, is_model_own, model_template, template_digest
from state.contract.request import ChatConfig
from trainer.data.templates import TemplateError


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
