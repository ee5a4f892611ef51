"""Chat templates as the wider ecosystem writes them, but with nothing that changes from day to day."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

import jinja2
from jinja2.ext import loopcontrols

from state.contract.row_shapes import Message
from trainer.data.template_allowance import allowance_for
from trainer.data.template_sandbox import Sandbox

_GENERATION_TAG = re.compile(r"(\{%[-+]?\s*)(end)?generation(\s*[-+]?%\})")
"""Marks the assistant's part for other trainers; it writes nothing."""


class TemplateError(Exception):
    """A chat template that cannot be used, or that refuses a conversation; says why."""


class ChatTemplate:
    """A template that turns messages into text, and nothing else: no files, no clock, and not without end."""

    def __init__(self, text: str, special_tokens: dict[str, str] | None = None) -> None:
        """Compile a template; `special_tokens` are its `bos_token`, `eos_token` and so on.

        Raises:
            TemplateError: it is not valid Jinja.
        """
        self.text = text
        environment = Sandbox(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols], autoescape=False
        )
        environment.add_filters({"tojson": _to_json})
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = _refuse_the_clock
        environment.globals.update(special_tokens or {})
        try:
            self._compiled = environment.from_string(_GENERATION_TAG.sub(_as_condition, text))
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                f"the chat template is not valid Jinja: line {error.lineno}: {error.message}"
            ) from error

    def render(self, messages: Sequence[Message], **variables: Any) -> str:
        """Return the text of a conversation.

        Raises:
            TemplateError: the template refuses it.
        """
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            with allowance_for([message.content for message in messages]) as allowance:
                return "".join(allowance.written(self._compiled.generate(messages=turns, **variables)))
        except jinja2.TemplateError as error:
            raise TemplateError(f"the chat template refuses the conversation: {error.message}") from error
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise TemplateError(f"the chat template fails: {error}") from error
        except RecursionError as error:
            raise TemplateError("the chat template fails: it calls itself without end") from error
        except MemoryError as error:
            raise TemplateError("the chat template fails: there is not enough memory for its text") from error


def _as_condition(tag: re.Match[str]) -> str:
    return f"{tag[1]}{'endif' if tag[2] else 'if true'}{tag[3]}"


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _refuse_the_clock(_: str) -> NoReturn:
    raise jinja2.TemplateError("it writes today's date into the text, so that no run could be repeated")
