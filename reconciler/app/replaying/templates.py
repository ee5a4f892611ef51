"""The chat template that a checkpoint was trained in: the model's own may be another text by now.

Each checkpoint is saved with the text that it was trained in, so one of the chain may still have it.
"""

from collections.abc import Iterable
from pathlib import Path

from state.contract.chat import NoTemplateError, is_model_own, model_template, template_digest
from state.contract.request import RunRequest


class TemplateGone(Exception):
    """Neither the model nor a checkpoint has the text any more; one sentence with what to bring back."""


def template_folder(request: RunRequest, saved: Iterable[str]) -> str | None:
    """Return the folder with the text that a run was asked for, of those that were saved; None: its model's.

    Raises:
        TemplateGone: none has it.
    """
    chat, model = request.config.chat, request.model_dir
    if not is_model_own(chat.template) or model is None or _digest(model) == chat.digest:
        return None
    found = next((folder for folder in saved if _digest(folder) == chat.digest), None)
    if found is None:
        raise TemplateGone(
            f"the chat template of {model} was changed since, and no checkpoint that lies there has the text "
            f"of then ({chat.digest}); put that text back as {Path(model) / 'chat_template.jinja'}"
        )
    return found


def _digest(folder: str) -> str | None:
    try:
        return template_digest(model_template(Path(folder)))
    except (NoTemplateError, OSError, UnicodeDecodeError):
        return None
