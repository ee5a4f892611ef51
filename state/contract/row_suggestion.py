"""What to write so that a row of an unknown shape becomes a known one. Pure."""

from collections.abc import Collection

SHAPES: dict[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "prompt_completion": ("prompt", "completion"),
    "question_answer": ("question", "answer"),
    "user_prompt_assistant_response": ("user_prompt", "assistant_response"),
    "instruction": ("instruction", "output"),
    "text": ("text",),
}
"""Kind of a dataset → the keys that its rows have."""


def matching_kinds(keys: Collection[str]) -> list[str]:
    """Return the kinds of which every key is among these."""
    return [kind for kind, needed in SHAPES.items() if set(needed) <= set(keys)]


def suggestion(keys: Collection[str]) -> str:
    """Return which spec would name the shape of rows with these keys.

    No quest needs to name it: a file, also one of the inbox, is taken by the one dataset that fits its rows.
    """
    kinds = matching_kinds(keys)
    if len(kinds) == 1:
        return f"Declare it: specs/datasets/<id>.yaml with  kind: {kinds[0]}."
    return (
        "Declare it: specs/datasets/<id>.yaml with  kind: fields  and  "
        "fields: {prompt: <key>, completion: <key>}."
    )
