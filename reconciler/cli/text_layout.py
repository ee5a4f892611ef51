"""Text that fits a terminal and cannot harm it: escaping, colours, columns. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

INDENT = "  "
GAP = "  "
_COLOURS = {
    "good": "32",
    "bad": "31",
    "warn": "33",
    "new": "32",
    "change": "33",
    "gone": "31",
    "move": "36",
    "dim": "2",
    "strong": "1",
}
_OURS = "\x1b\\[[0-9;]{1,8}m"
_ELLIPSIS = "…"
_THOUSAND, _MILLION = 1e3, 1e6
_LEAST_LAST = 24
"""Columns that the last column of a table gets before others are left out, or folded to their least."""
_LEAST, _LEAST_IF_NARROW = 12, 8
"""Columns that a text gets at least; where that is too much, before its table is wider than there is room."""
_COMMAND = re.compile(r"\breconcile [a-z]\S*(?: --\S+)*(?: \S+)?")
_UNBROKEN = "\xa0"
_THEIRS = "\u034f"
"""Takes no room and survives `safe`; behind a "reconcile" that is no hint of ours, until it is printed."""
_UP_TO_SPACE = r"[^ ]* ?"
_UP_TO_SEPARATOR = r"[^/@,:-]*[/@,: -]*"


class Paint:
    """Colours text by its meaning, when it is on; knows whether a person looks at it."""

    def __init__(self, *, on: bool, on_terminal: bool = False) -> None:
        self.on = on
        self.on_terminal = on_terminal

    def __call__(self, text: str, meaning: str = "") -> str:
        """Return the text in the colour of a meaning; text without one stays as it is."""
        if not self.on or not meaning or not text:
            return text
        return f"\x1b[{_COLOURS[meaning]}m{text}\x1b[0m"


PLAIN = Paint(on=False)


def safe(text: object) -> str:
    """Return text from anywhere as one printable line: control characters become visible escapes."""
    line = str(text)
    return line if line.isprintable() else "".join(map(_visible, line))


def theirs(text: str) -> str:
    """Return what people or other programs wrote, marked so that no command in it is taken for our hint."""
    return text.replace("reconcile ", f"reconcile{_THEIRS} ") if "reconcile " in text else text


def unmarked(text: str) -> str:
    """Return the text as it is to be printed, without the marks of `theirs`."""
    return text.replace(f"reconcile{_THEIRS}", "reconcile") if _THEIRS in text else text


def harmless(text: str) -> str:
    """Return what is to be printed, all control characters but line ends and our colours escaped."""
    if text.replace("\n", "").isprintable():
        return text
    parts: list[str] = []
    end = 0
    for colour in re.finditer(_OURS, text):
        parts += [escaped(text[end : colour.start()]), colour[0]]
        end = colour.end()
    return "".join([*parts, escaped(text[end:])])


def escaped(text: str) -> str:
    """Return the text with every control character but line ends escaped."""
    return "\n".join(safe(line) for line in text.split("\n"))


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def columns(text: str) -> int:
    """Return how many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    def width(char: str) -> int:
        if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
            return 0
        return 2 if unicodedata.east_asian_width(char) in "WF" else 1

    return sum(map(width, text))


def padded(text: str, width: int) -> str:
    """Return the text with spaces up to a width."""
    return text + " " * max(0, width - columns(text))


def shortened(text: str, width: int) -> str:
    """Return the text cut to a width, with an ellipsis where something is left out."""
    if columns(text) <= width:
        return text
    kept = ""
    for char in text:
        if columns(kept + char) > width - 1:
            break
        kept += char
    return kept + _ELLIPSIS


def wrapped(text: str, width: int, *, at: str = " ") -> list[str]:
    """Return the text in lines of at most a width, broken at spaces or at another separator.

    A longer word (a path, a digest) stays whole, as does a command, so that it can be copied; the terminal
    breaks it itself.
    """
    text = (
        _COMMAND.sub(lambda found: found[0].replace(" ", _UNBROKEN), text) if "reconcile " in text else text
    )
    lines, words = [""], text.split(at)
    for place, word in enumerate(words, start=1):
        candidate = f"{lines[-1]}{at}{word}" if lines[-1] else word
        end = at.rstrip() if place < len(words) else ""
        if not lines[-1] or columns(candidate + end) <= width:
            lines[-1] = candidate
        else:
            lines[-1] += at.rstrip()
            lines.append(word)
    if at != " ":
        return [piece for line in lines for piece in wrapped(line, width)]
    return [line.replace(_UNBROKEN, " ") for line in lines]


def folded_step(step: str, width: int) -> list[str]:
    """Return what to do now in lines of a width; a command stays whole, so that it can be copied."""
    told, gap, command = step.rpartition("  ")
    if not gap:
        return wrapped(step, width)
    if columns(step) <= width or columns(told) < width // 2:
        return [step]
    return [*wrapped(told, width), f"{INDENT}{command}"]


class Column:
    """How one column of a table is shown; one with a higher `spare` is left out earlier, 0 never.

    A title is written in capitals unless it is the name of something.
    """

    def __init__(self, title: str, *, right: bool = False, spare: int = 0, is_name: bool = False) -> None:
        self.title = title if is_name else title.upper()
        self.right = right
        self.spare = spare


class Grid:
    """The cells of a table, its columns that are not empty everywhere, and their widths."""

    def __init__(self, titles: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        cells = [[safe(cell) if cell is not None else "" for cell in row] for row in rows]
        used = [number for number in range(len(titles)) if any(row[number] for row in cells)]
        self.titles = [titles[number] for number in used]
        self.rows = [[row[number] for number in used] for row in cells]

    @property
    def widths(self) -> list[int]:
        return [
            max(columns(title.title), *(columns(row[place]) for row in self.rows), 0)
            for place, title in enumerate(self.titles)
        ]

    def leave_out(self, width: int) -> list[str]:
        """Leave out columns that can be spared until the rest has room; return their titles."""
        left_out: list[str] = []
        while self._least_width() > width and (spare := self._most_spare()) is not None:
            left_out.append(self.titles.pop(spare).title.lower())
            for row in self.rows:
                row.pop(spare)
        return left_out

    def narrowed(self, width: int) -> list[int]:
        """Return widths that fit: the last column gives way first, to what can be read; then the widest.

        None goes below its least, the last column only where the others are at theirs.

        Numbers stay whole.
        """
        widths, last = self.widths, len(self.titles) - 1
        least = [self._least(place, whole, _LEAST) for place, whole in enumerate(widths)]
        if sum(least) + len(GAP) * last > width:
            least = [self._least(place, whole, _LEAST_IF_NARROW) for place, whole in enumerate(widths)]
        too_wide = sum(widths) + len(GAP) * last - width
        readable = max(least[last], min(widths[last], _LEAST_LAST))
        by_width = sorted(range(last), key=lambda place: -widths[place])
        for give, down_to in [
            (last, readable),
            *((place, least[place]) for place in by_width),
            (last, least[last]),
        ]:
            taken = max(0, min(too_wide, widths[give] - down_to))
            widths[give] -= taken
            too_wide -= taken
        return widths

    def _least(self, place: int, whole: int, enough: int) -> int:
        return whole if self.titles[place].right else min(whole, enough)

    def _least_width(self) -> int:
        *before, last = self.widths
        return sum(before) + len(GAP) * len(before) + min(last, _LEAST_LAST)

    def _most_spare(self) -> int | None:
        place = max(range(len(self.titles)), key=lambda place: self.titles[place].spare)
        return place if self.titles[place].spare else None


def table(
    titles: Sequence[Column], rows: Iterable[Sequence[object]], width: int | None, paint: Paint = PLAIN
) -> str:
    """Return rows in aligned columns, without those that are empty in every row.

    Within a width, what can be spared is left out where there is no room, the last column is folded under
    itself, then the widest others, and a line says what is not shown. Without one (`--wide`) all is shown, a
    row a line.
    """
    grid = Grid(titles, rows)
    left_out = grid.leave_out(width) if width is not None else []
    widths = grid.widths if width is None else grid.narrowed(width)
    lines = _row([column.title for column in grid.titles], grid.titles, widths, paint, header=True)
    lines += [line for row in grid.rows for line in _row(row, grid.titles, widths, paint)]
    if width is not None and left_out:
        missing = f"no room for {', '.join(dict.fromkeys(reversed(left_out)))}: see --wide or --json"
        lines += [paint(line, "dim") for line in wrapped(missing, width)]
    return "\n".join(line.rstrip() for line in lines)


def _row(
    row: Sequence[str], shown: Sequence[Column], widths: Sequence[int], paint: Paint, *, header: bool = False
) -> list[str]:
    """Return a row in as many lines as its most folded cell needs."""
    pieces = [folded(text, width) for text, width in zip(row, widths, strict=True)]
    lines = []
    for number in range(max(map(len, pieces), default=0)):
        parts = []
        for cell, column, width in zip(pieces, shown, widths, strict=True):
            text = cell[number] if number < len(cell) else ""
            fill = " " * max(0, width - columns(text))
            painted = paint(text, "dim" if header else "")
            parts.append(fill + painted if column.right else painted + fill)
        lines.append(GAP.join(parts))
    return lines


def folded(text: str, width: int) -> list[str]:
    """Return the text in lines of at most a width, broken at spaces, a longer word after one of / @ - , :."""
    lines = [""]
    for word in _words(text, width):
        candidate = f"{lines[-1]}{word}"
        if not lines[-1] or columns(candidate.rstrip()) <= width:
            lines[-1] = candidate
        else:
            lines.append(word)
    return [line.rstrip() for line in lines]


def _words(text: str, width: int) -> Iterator[str]:
    """Yield the pieces between which a line may end, each with what separates it from the next."""
    for word in re.findall(_UP_TO_SPACE, text):
        if columns(word.rstrip()) <= width:
            yield word
            continue
        for part in re.findall(_UP_TO_SEPARATOR, word):
            rest = part
            while columns(rest.rstrip()) > width:
                yield (begun := _begun(rest, width))
                rest = rest[len(begun) :]
            yield rest


def _begun(text: str, width: int) -> str:
    """Return as much of the text as a width takes, one character at least."""
    end = 1
    while end < len(text) and columns(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def held_out(loss: float, measured_at: int | None, step: int | None) -> str:
    """Return a held-out loss, with the step at which it was measured when that is not this one."""
    where = "" if measured_at is None or measured_at == step else f" at step {measured_at:,}"
    return f"held-out {loss:.3f}{where}"


def rate(per_second: float | None) -> str:
    """Return tokens per second as `6.1k tok/s`."""
    if per_second is None:
        return ""
    if per_second >= _MILLION:
        return f"{per_second / _MILLION:.1f}M tok/s"
    return f"{per_second / _THOUSAND:.1f}k tok/s" if per_second >= _THOUSAND else f"{per_second:.0f} tok/s"


def short_hash(digest: str | None) -> str:
    """Return the first eight digits of a digest, without the name of its algorithm."""
    return (digest or "").rpartition(":")[2][:8]


def short_code(code_version: str | None) -> str:
    """Return a code version as people read it: `a1b2c3d`, `a1b2c3d+dirty`, or the distribution's name."""
    if not code_version:
        return ""
    commit, plus, _ = code_version.partition("+dirty")
    is_commit = len(commit) in (40, 64) and not set(commit) - set("0123456789abcdef")
    return (commit[:7] + ("+dirty" if plus else "")) if is_commit else shortened(code_version, 24)
