"""Keys beside a row's own that would change what is trained, were they read. Pure.

Every other key (`id`, `level`, `source`, ...) is not read either, and does not matter. These are refused
where no spec says what the rows are, as they are inside a message: without them something else is trained
than was meant. A dataset that names one in its optional_fields says that it is not meant.
"""

from collections.abc import Callable, Mapping
from typing import Any

from state.contract.row_contracts import RowContract
from state.contract.row_words import Objection, quoted

_SYSTEM = 'Write it as the first message, {"role": "system", "content": ...}, in rows of messages'
_TURNS = "Write its turns as messages, before the last ones"
_CONTEXT = (
    "Name it in a dataset, kind: fields with  fields: {prompt: prompt, completion: completion, context: %s}"
)
_ANSWER = "Write it into the completion, as it is to be learnt"
_PREFERRED = "No preferences are trained: keep the rows that are to be learnt, as prompt and completion"
_NOT_TRAINED = "Only the text of messages is trained: write it there, or remove it from the rows"

BESIDE_MESSAGES: Mapping[str, str] = {
    **dict.fromkeys(("system", "system_prompt", "system_message"), _SYSTEM),
    "history": _TURNS,
    **dict.fromkeys(("tools", "functions", "tool_calls", "function_call", "documents"), _NOT_TRAINED),
    **dict.fromkeys(("image", "images", "audio", "audios", "video", "videos"), _NOT_TRAINED),
    **dict.fromkeys(("loss_mask", "chat_template_kwargs"), _NOT_TRAINED),
    **dict.fromkeys(("weight", "weights"), "Every row counts alike: write one more often, or leave it out"),
    **dict.fromkeys(("chosen", "rejected"), _PREFERRED),
    **dict.fromkeys(("label", "train", "loss"), "Leave the rows out that are not to be learnt"),
}
"""Key → what to write instead."""
BESIDE_PROMPT: Mapping[str, str] = {
    **BESIDE_MESSAGES,
    **{key: _CONTEXT % key for key in ("context", "input", "instruction")},
    **dict.fromkeys(("reasoning", "reasoning_content", "thinking"), _ANSWER),
}
"""The same beside a prompt and its completion."""


_HARMLESS: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(("weight", "weights"), lambda value: value == 1),
    **dict.fromkeys(("label", "train", "loss"), lambda value: value is not False),
}
"""Key → which values change nothing: a weight of 1, and any label but a plain no."""


def refused_beside(contract: RowContract) -> Mapping[str, str]:
    """Return the keys that a row of the contract may not fill, with what to write instead."""
    if not contract.is_built_in:
        return {}
    return BESIDE_MESSAGES if contract.shape.kind == "messages" else BESIDE_PROMPT


def objection_to_beside(value: dict[str, Any], contract: RowContract) -> Objection | None:
    """Return the first of these keys that a row has something in, with what to write instead."""
    for key, advice in refused_beside(contract).items():
        if _changes_something(key, value.get(key)):
            return Objection(
                f"the key {quoted(key)}, which would change what is trained and is not read",
                "rows without it, or a dataset that says what it is",
                f"{advice}; or let a dataset name it in optional_fields, where it is to be left out.",
            )
    return None


def _changes_something(key: str, value: object) -> bool:
    is_empty = value is None or value in ("", [], {})
    return not is_empty and not (key in _HARMLESS and _HARMLESS[key](value))
