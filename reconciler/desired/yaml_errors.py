"""What a YAML reader complains about, in a person's words. Its two forms word it differently."""

from typing import Any

from reconciler.desired.places import Finding, Span

# A piece of the reader's own words → (what it means, what to do). The first that fits counts.
_MEANINGS: tuple[tuple[str, str, str | None], ...] = (
    (
        "mapping values are not allowed",
        "a second ':' in one value, or a line indented too far",
        "quote the text",
    ),
    (
        "could not find expected ':'",
        "a line that is no `key: value`",
        "add the ':' or indent it",
    ),
    ("end of stream", "a quote that is never closed", None),
    (
        "unknown escape character",
        "an unknown \\ escape in double quotes",
        "double the \\ or use single quotes",
    ),
    ("',' or ']'", "a list [ ... ] that is not closed or lacks a comma", None),
    ("',' or '}'", "a mapping { ... } that is not closed or lacks a comma", None),
    ("cannot start any token", "a character that cannot start a value", "quote the text"),
    ("expected '-' indicator", "an indentation that fits no list or mapping above it", "line it up"),
    ("did not find expected key", "an indentation that fits no list or mapping above it", "line it up"),
    ("<block end>", "an indentation that fits no list or mapping above it", "line it up"),
    ("found unexpected ':'", "a ':' in a value that is not quoted", "quote the text"),
    ("node content", "a bracket or sign where a value was expected", "quote the text"),
)
# Where these began says more than where the reader gave up.
_BEGUN_EARLIER = ("end of stream", "',' or", "escape character")


def explained(error: Any) -> Finding:
    """Return the finding for a reader's error; one that we have no words for keeps its own."""
    problem = str(error.problem or error.context or "it cannot be read")
    mark = error.problem_mark or error.context_mark
    if any(piece in problem for piece in _BEGUN_EARLIER):
        mark = error.context_mark or mark
    span = Span(mark.line + 1, mark.column + 1, 1) if mark else None
    for piece, meaning, hint in _MEANINGS:
        if piece in problem:
            return Finding(span=span, message=f"not valid YAML: {meaning}", hint=hint)
    return Finding(span=span, message=f"not valid YAML: {problem}")
