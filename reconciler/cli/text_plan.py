"""The plan as text: who and where, drift apart from edits, one line a change, a legend, a summary. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from reconciler.cli.text_cost import cost_text, cost_without, each_lines, kept_lines, memory_lines
from reconciler.cli.text_layout import (
    GAP,
    INDENT,
    PLAIN,
    Paint,
    columns,
    folded_step,
    padded,
    safe,
    theirs,
    wrapped,
)
from reconciler.cli.text_next_steps import WHOLE, next_steps
from reconciler.cli.text_queue import queue_lines
from reconciler.plan.changes import HELD, counted, folded, num_obstacles
from reconciler.plan.root import VANISHED
from state.amounts import count, moment

if TYPE_CHECKING:
    from reconciler.app.planning.plan_document import PlanBase, PlanDocument, PlannedChange
    from reconciler.plan.changes import Blocked

_SYMBOLS = {
    "+": ("create", "new"),
    "-": ("remove", "gone"),
    "~": ("change in place", "change"),
    "-/+": ("replace", "change"),
    ".": ("forget", "dim"),
    "→": ("move", "move"),
    "!": ("blocked", "bad"),
    "…": ("waits for its turn", "dim"),
}
_GROUPS = (
    ("progress", "Training came further:"),
    ("rules", "The rules for keeping, or a time that is over, ask for it:"),
    ("drift", "The world moved (drift):"),
    ("request", "Somebody asked for it:"),
    ("edit", "The specs moved (edits):"),
)
NO_LONGER = "No longer done:"
AFTER_THAT = "After that:"
_MOST_FILES = 5
STEP_GAP = " " * 8


class Line(msgspec.Struct, frozen=True):
    """One row of the plan, before it is laid out."""

    symbol: str
    verb: str
    thing: str
    detail: str
    where: str
    hint: str = ""
    """What to do about it; below the row, where hints are wanted."""


def plan_text(
    document: "PlanDocument", width: int, paint: Paint = PLAIN, *, hints: bool = True, said: str = ""
) -> str:
    """Return the whole plan for people; `said` are the options that apply needs to do the same."""
    sections = [header(document, paint, width)]
    body = _body(document, width, paint, hints=hints)
    if body:
        sections.append(body)
    if document.warnings:
        sections.append("\n".join(warning(text, width, paint) for text in document.warnings))
    if queue := queue_lines(document.queue, width, paint, seen_on=document.seen_on):
        sections.append("\n".join(queue))
    if document.forecast is not None:
        from reconciler.cli.text_forecast import forecast_lines  # asked for with --until

        sections.append("\n".join(forecast_lines(document.forecast, width)))
    if kept := kept_lines(document, width):
        sections.append("\n".join(kept))
    sections.append(_ending(document, width, paint, next_steps(document, said) if hints else None))
    return "\n\n".join(sections)


def header(document: "PlanDocument", paint: Paint = PLAIN, width: int = 80) -> str:
    """Return what was planned: realm, commit, how it stands to what apply follows."""
    name = f"the work tree on {document.commit_name}" if document.is_worktree else document.commit_name
    realm, seen = safe(document.realm), _seen(document)
    where = f"{safe(name)}{_standing(document)}"
    lines = [f"{paint(realm, 'strong')}   {where}   {paint(seen, 'dim')}"]
    if columns(f"{realm}   {where}   {seen}") > width:
        first, *rest = wrapped(where, width - columns(f"{realm}   "))
        under = " " * columns(f"{realm}   ")
        lines = [
            f"{paint(realm, 'strong')}   {first}",
            *(f"{under}{text}" for text in (*rest, paint(seen, "dim"))),
        ]
    if not document.root_exists and not any(item.code == VANISHED for item in document.blocked):
        lines += wrapped(f"There is no root yet; apply creates it: {safe(document.root)}", width)
    if document.uncommitted and not document.is_worktree:
        lines.append(not_committed(document.uncommitted, width))
    if not document.is_what_apply_follows:
        lines += wrapped(_not_followed(document), width)
    if document.base is not None:
        lines += wrapped(_beyond(document.base), width)
    return "\n".join(lines)


def _seen(document: "PlanDocument") -> str:
    """Return when the world was looked at; of facts in a file with the day, and where."""
    if document.seen_on is None:
        return f"seen {document.seen_at[11:19]} UTC"
    return f"seen {moment(document.seen_at)} on {safe(document.seen_on)}"


def _beyond(base: "PlanBase") -> str:
    both = f"; {count(base.num_planned_anyway, 'change')} in both" if base.num_planned_anyway else ""
    return f"Shown is what it adds to the plan of {safe(base.commit_name)}{both}."


def not_committed(files: Sequence[str], width: int) -> str:
    """Return which spec files differ from the commit, folded where they have no room."""
    first, *rest = wrapped(f"Not committed, so not applied: {_some(files)}", width)
    return "\n".join([first, *(f"{INDENT}{line}" for line in rest)])


def _standing(document: "PlanDocument") -> str:
    followed = document.followed
    if followed is None or not (followed.ahead or followed.behind) or followed.commit is None:
        return ""
    parts = [f"{count(followed.ahead, 'commit')} ahead of"] if followed.ahead else []
    parts += [f"{count(followed.behind, 'commit')} behind"] if followed.behind else []
    return f", {' and '.join(parts)} {safe(followed.branch)}@{followed.commit[:7]}"


def _not_followed(document: "PlanDocument") -> str:
    followed = document.followed
    if document.is_worktree:
        return "This is a preview of the files in the work tree; apply follows commits."
    if followed is None:
        is_detached = document.ref == "HEAD" and document.branch is None
        begun = "No branch is checked out (HEAD is detached). " if is_detached else ""
        return f"{begun}Apply follows the branch that is checked out when it first runs."
    if not followed.is_this_repository:
        return f"This is not what apply follows: {safe(followed.repository)}, branch {safe(followed.branch)}."
    if followed.commit is None:
        return f"Apply follows {safe(followed.branch)}, which is not there any more."
    return f"This is not what apply follows: {safe(followed.branch)}@{followed.commit[:7]}."


def _some(files: Sequence[str]) -> str:
    more = len(files) - _MOST_FILES
    return ", ".join(map(safe, files[:_MOST_FILES])) + (f" and {more} more" if more > 0 else "")


def lines_of(document: "PlanDocument") -> list[tuple[str, list[Line]]]:
    """Return every row of the plan under the title that it belongs to."""
    groups: list[tuple[str, list[Line]]] = []
    for source, title in _GROUPS:
        lines = [line_of(change) for change in document.changes if change.source == source]
        if lines:
            groups.append((title, lines))
    blocked = [_blocked_line(item) for item in folded(document.blocked)]
    only_edits = [title for title, _ in groups] == [_GROUPS[-1][1]]
    if blocked and (only_edits or not groups):
        groups = [("", [*(groups[0][1] if groups else []), *blocked])]
    elif blocked:
        groups.append(("In the way:", blocked))
    elif only_edits:
        groups = [("", groups[0][1])]
    if launches := _launched_later(document):
        groups.append((AFTER_THAT, [line_of(change) for change in launches]))
    if waits := [_waiting_line(item) for item in folded(document.waits)]:
        groups.append(("Waiting for its turn:" if groups else "", waits))
    if document.base is not None and document.base.no_longer:
        groups.append((NO_LONGER, [line_of(change) for change in document.base.no_longer]))
    return groups


def _launched_later(document: "PlanDocument") -> list["PlannedChange"]:
    """Return the launches that follow; what is dropped later is told with what is archived."""
    return [change for change in document.afterwards if change.verb == "launch"]


def _body(document: "PlanDocument", width: int, paint: Paint, *, hints: bool) -> str:
    groups = lines_of(document)
    layout = Layout([line for _, lines in groups for line in lines], width)
    parts = []
    for title, lines in groups:
        text = "\n".join(row for line in lines for row in _with_hint(line, layout, paint, hints=hints))
        parts.append(f"{paint(title, 'strong')}\n{text}" if title else text)
    return "\n".join(parts)


def _with_hint(line: Line, layout: "Layout", paint: Paint, *, hints: bool) -> list[str]:
    return [layout.render(line, paint), *(layout.hint(line) if hints and line.hint else [])]


def line_of(change: "PlannedChange") -> Line:
    """Return a change as one row."""
    failed, hint = (change.setback.text, change.setback.hint) if change.setback else ("", "")
    told = (change.what, theirs(change.reason), ", ".join(change.otherwise), failed)
    detail = "; ".join(safe(part) for part in told if part)
    return Line(
        change.symbol, safe(change.verb), safe(change.thing), detail, theirs(safe(change.cause)), safe(hint)
    )


def _blocked_line(item: "Blocked") -> Line:
    hint = "" if item.subject in WHOLE else safe(item.hint)  # of these it stands at the end
    verb = "on hold" if item.code == HELD else "blocked"
    return Line("!", verb, safe(item.subject), theirs(safe(item.message)), theirs(safe(item.cause)), hint)


def _waiting_line(item: "Blocked") -> Line:
    message, hint = item.message.removeprefix("waits "), item.hint if item.is_tried_again else ""
    return Line("…", "waits", safe(item.subject), theirs(safe(message)), theirs(safe(item.cause)), safe(hint))


class Layout:
    """Columns for all rows of a plan; a row that is too long for them is folded, the others stay aligned."""

    def __init__(self, lines: Sequence[Line], width: int) -> None:
        self._verb = max((columns(line.verb) for line in lines), default=0)
        self._symbol = max((columns(line.symbol) for line in lines), default=1)
        self._lead = len(INDENT) + self._symbol + 1 + self._verb + len(GAP)
        self._room = width - self._lead
        things = [columns(line.thing) for line in lines]
        self._thing = max((thing for thing in things if thing <= self._room // 2), default=0)
        self._beside = self._room - self._thing - len(GAP)
        self._detail = self._most_in_one_line(lines)

    def _most_in_one_line(self, lines: Sequence[Line]) -> int:
        """Return the width of the column of details with which the most rows take one line each."""
        rows = [(columns(line.detail), columns(line.where)) for line in lines if self._has_room(line)]
        choices = sorted({detail for detail, _ in rows})
        return max(choices, key=lambda width: sum(self._fits(row, width) for row in rows), default=0)

    def _has_room(self, line: Line) -> bool:
        return columns(line.thing) <= self._thing

    def _fits(self, row: tuple[int, int], width: int) -> bool:
        detail, where = row
        return detail <= width and width + len(GAP) + where <= self._beside

    def render(self, line: Line, paint: Paint = PLAIN) -> str:
        """Return a row as one line or, where it does not fit, several."""
        meaning = _SYMBOLS.get(line.symbol, ("", ""))[1]
        head = f"{padded(line.symbol, self._symbol)} {padded(line.verb, self._verb)}"
        lead = f"{INDENT}{paint(head, meaning)}{GAP}"
        if self._has_room(line) and (aligned := self._aligned(line, lead, paint)):
            return aligned
        short = GAP.join(part for part in (line.thing, line.detail, line.where) if part)
        if columns(short) <= self._room:
            return f"{lead}{short.removesuffix(line.where)}{paint(line.where, 'dim')}".rstrip()
        return self._folded(line, lead, paint)

    def hint(self, line: Line) -> list[str]:
        """Return what to do about a row, in lines to stand below it."""
        pieces = wrapped(line.hint, self._room - 2)
        return [f"{' ' * self._lead}{'  ' if place else '→ '}{piece}" for place, piece in enumerate(pieces)]

    def _aligned(self, line: Line, lead: str, paint: Paint) -> str | None:
        """Return one line in columns, the last one ragged where it must be; None where there is no room."""
        row = (columns(line.detail), columns(line.where))
        width = next((width for width in (self._detail, row[0]) if self._fits(row, width)), None)
        if width is None:
            return None
        cells = f"{padded(line.thing, self._thing)}{GAP}{padded(line.detail, width)}"
        return f"{lead}{cells}{GAP}{paint(line.where, 'dim')}".rstrip()

    def _folded(self, line: Line, lead: str, paint: Paint) -> str:
        under = " " * self._lead
        first, *pieces = wrapped(line.thing, self._room)
        pieces += wrapped(line.detail, self._room) if line.detail else []
        if self._has_room(line) and columns(line.detail) <= self._beside:
            first, pieces = f"{padded(line.thing, self._thing)}{GAP}{line.detail}".rstrip(), []
        if pieces and columns(f"{pieces[-1]}{GAP}{line.where}") <= self._room:
            pieces[-1] = f"{pieces[-1]}{GAP}{paint(line.where, 'dim')}"
        else:
            pieces.append(paint(line.where, "dim"))
        return "\n".join([f"{lead}{first}", *(f"{under}{piece}" for piece in pieces)])


def warning(text: str, width: int, paint: Paint) -> str:
    first, *rest = wrapped(safe(text), width - len("Warning: "))
    under = " " * len("Warning: ")
    return "\n".join([f"{paint('Warning:', 'warn')} {first}", *(f"{under}{piece}" for piece in rest)])


def _ending(document: "PlanDocument", width: int, paint: Paint, steps: Sequence[str] | None) -> str:
    lines = []
    told = (*document.changes, *_launched_later(document))
    used = {change.symbol for change in told}
    used |= ({"!"} if num_obstacles(document.blocked) else set()) | ({"…"} if document.waits else set())
    legend = [f"{symbol} {_meaning(told, symbol)}" for symbol in _SYMBOLS if symbol in used]
    if legend and steps is not None:
        lines += [paint(line, "dim") for line in wrapped(f"Legend: {', '.join(legend)}", width, at=", ")]
    lines += [paint(line, "strong") for line in wrapped(summary(document), width, at=", ")]
    if cost := cost_text(document):
        lines += [*wrapped(cost, width, at=", "), *each_lines(document, width)]
    if without := cost_without(document):
        lines += wrapped(without, width, at=", ")
    if document.to_come is not None and (text := document.to_come.text):
        lines += wrapped(f"Still to come while apply runs: {text}.", width, at=", ")
    lines += [line for told in memory_lines(document) for line in wrapped(told, width)]
    beside = STEP_GAP.join(steps or ())
    if columns(beside) > width:
        lines += [line for step in steps or () for line in folded_step(step, width)]
    elif beside:
        lines.append(beside)
    return "\n".join(lines)


def _meaning(told: Sequence["PlannedChange"], symbol: str) -> str:
    """Return what a symbol means; `+` is told by what this plan does with it."""
    verbs = dict.fromkeys(safe(change.verb) for change in told if change.symbol == symbol)
    return "/".join(verbs) if symbol == "+" and verbs else _SYMBOLS[symbol][0]


def summary(document: "PlanDocument") -> str:
    """Return the one line that counts everything."""
    parts = [f"{number:,} to {safe(verb)}" for verb, number in document.counts.items()]
    num_failing = sum(change.setback is not None for change in document.changes)
    rest = [f"{num_failing:,} of them failed when last tried"] if num_failing else []
    rest += counted(document.blocked)
    rest += [f"{len(document.waits):,} waiting"] if document.waits else []
    rest += [f"{document.unchanged:,} unchanged"] if document.unchanged else []
    rest += [f"{document.num_left_out:,} left out"] if document.num_left_out else []
    if parts:
        return f"Plan: {', '.join([*parts, *rest])}."
    nothing = "Nothing that apply could do" if document.blocked else "Nothing to do"
    return f"{nothing}{': ' if rest else ''}{', '.join(rest)}."
