"""The plan as the comment of a pull request: what matters first, every change in a diff fence. Pure."""

from shlex import quote
from typing import TYPE_CHECKING

import msgspec

from reconciler.cli.text_cost import cost_text, cost_without, each_lines, kept_lines, memory_lines
from reconciler.cli.text_layout import safe, shortened
from reconciler.cli.text_plan import NO_LONGER, Layout, lines_of, summary
from state.amounts import count, moment

if TYPE_CHECKING:
    from reconciler.app.planning.plan_document import PlanDocument
    from reconciler.cli.text_plan import Line

MOST_CHARACTERS = 60_000
"""GitHub takes 65,536 in a comment, GitLab and Gitea more."""
_WIDTH = 78
"""With the mark of the diff before it a line takes 80 columns."""
_MARKS = {"+": "+", "-": "-", "…": " ", ".": " "}
"""What a diff fence colours green and red; everything else is `!`, orange."""
_MOST_OUTSIDE = 5
_LONGEST = 300
"""Characters of what stands outside the fold; a mention grows to nine times its size."""
_NO_FENCE = "ˋˋˋ"
_HARMLESS = str.maketrans(
    {char: f"\\{char}" for char in "\\|*_~![]"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "ˋ", "@": "@<!-- -->", "#": "#<!-- -->"}
)
"""What emphasizes, links, shows an image, mentions somebody or another request."""


def marker(realm: str) -> str:
    """Return the hidden line by which a comment is found again, so that it is updated and not repeated."""
    return f"<!-- reconcile plan: {safe(realm)} -->"  # the id of a realm is checked: letters, digits, dashes


def plan_markdown(document: "PlanDocument") -> str:
    """Return the whole comment; the fold is cut where it would not fit."""
    head = "\n\n".join(
        filter(None, [_title(document), _warnings(document), _blocked(document), _costs(document)])
    )
    foot = f"_Seen {moment(document.seen_at)}; digest `{document.digest[:19]}`._"
    room = MOST_CHARACTERS - len(head) - len(foot)
    return "\n\n".join(filter(None, [head, _fold(document, room), foot]))


def _title(document: "PlanDocument") -> str:
    base = f" beyond {_code(document.base.commit_name)}" if document.base else ""
    where = f"{_code(document.commit_name)}{base}"
    told = summary(document).removeprefix("Plan: ")
    return f"{marker(document.realm)}\n### {_inline(document.realm)}: {told}\n{where}"


def _warnings(document: "PlanDocument") -> str:
    followed = document.followed
    lines = []
    if followed is not None and followed.behind:
        missing = f"{_code(followed.branch)} has {count(followed.behind, 'commit')} that this does not have"
        lines.append(f"> **The base has moved on:** {missing}; merge it and look again.")
    if document.awaiting is not None:
        from reconciler.plan.review.losses import lost_text  # seldom needed

        lost = lost_text(document.awaiting.checkpoints, document.awaiting.demoted)
        lines.append(f"> **Needs an approval:** {lost} would be destroyed: {_short(document.awaiting.why)}")
    lines += [f"> **Warning:** {_short(text)}" for text in document.warnings[:_MOST_OUTSIDE]]
    return "\n>\n".join(lines)


def _blocked(document: "PlanDocument") -> str:
    items = document.blocked[:_MOST_OUTSIDE]
    lines = [f"- **Blocked** {_code(item.subject)}: {_short(item.message)}" for item in items]
    if (more := len(document.blocked) - len(items)) > 0:
        lines.append(f"- and {more:,} more")
    return "\n".join(lines)


def _costs(document: "PlanDocument") -> str:
    lines = [
        cost_text(document),
        cost_without(document),
        *memory_lines(document),
        *kept_lines(document, 10**6),
    ]
    return "\n".join(_inline(line) for line in lines if line)


def _fold(document: "PlanDocument", room: int) -> str:
    groups = lines_of(document)
    every = [line for _, lines in groups for line in lines]
    if not every:
        return ""
    layout = Layout(every, _WIDTH)
    rows = [row for title, lines in groups for row in _rows(title, lines, layout)]
    if costs := each_lines(document, _WIDTH):
        rows += ["# What each of them costs:", *(_in_the_fence(line) for line in costs)]
    head, tail = "<details><summary>Every change</summary>\n\n```diff\n", "\n```\n\n</details>"
    left = room - len(head) - len(tail) - 200
    kept: list[str] = []
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            more, ref = len(rows) - len(kept), _in_the_fence(quote(document.ref))
            kept.append(f"# ... {more:,} more lines: reconcile plan {ref}")
            break
        kept.append(row)
    return f"{head}{chr(10).join(kept)}{tail}"


def _rows(title: str, lines: "list[Line]", layout: Layout) -> list[str]:
    rows = [f"# {title}"] if title else []
    for line in lines:
        mark = "-" if title == NO_LONGER else _MARKS.get(line.symbol, "!")
        shown = msgspec.structs.replace(line, symbol="") if line.symbol == mark else line
        rows += [f"{mark}{text[1:]}" for text in layout.render(shown).split("\n")]
    return [_in_the_fence(row) for row in rows]


def _in_the_fence(row: str) -> str:
    return row.replace("```", _NO_FENCE)


def _short(text: object) -> str:
    """Return text of any length as one harmless line, of which a few leave the comment its room."""
    return _inline(shortened(safe(text), _LONGEST))


def _inline(text: object) -> str:
    """Return text from anywhere as one line that no Markdown, HTML or mention comes out of."""
    return safe(text).translate(_HARMLESS).replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")


def _code(text: object) -> str:
    return f"`{safe(text).replace('`', 'ˋ')}`"
