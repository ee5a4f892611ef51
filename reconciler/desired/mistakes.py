"""A mistake in a spec, and how a person is shown it.

Made by every reader and checker of this package; `render` is called by `validate`, `plan` and `apply`.
"""

from collections.abc import Iterable, Sequence

import msgspec

INDENT = "    "
WIDTH = 80
LEAST_ROOM = 36
"""Columns that a sentence needs beside the caret; with fewer it stands below."""
MAX_SHOWN_NAMES = 12
NOT_CHECKED = "Names in other files are checked once these are mended."


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in one place of one spec. Lines and columns count from 1; 0 means the whole file."""

    path: str
    """From the repository's top folder."""
    line: int = 0
    column: int = 0
    width: int = 1
    """How many characters the caret underlines."""
    message: str
    """What was found and what was expected."""
    known: tuple[str, ...] = ()
    """The names that would be right here."""
    nearest: str | None = None
    """The known name that was probably meant."""
    hint: str | None = None
    """What to do."""
    source_line: str | None = None

    @property
    def where(self) -> str:
        """Return `path:line:column`, as far as it is known."""
        return ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])

    @property
    def sentence(self) -> str:
        """Return the message with the known names, what to do and the nearest one, in one line."""
        parts = [self.message]
        if self.known:
            parts.append(f"known: {_shortened(self.known)}")
        if self.hint:
            parts.append(self.hint)
        if self.nearest:  # a question comes last
            parts.append(f'did you mean "{self.nearest}"?')
        return "; ".join(parts)


class SpecMistakesError(Exception):
    """The specs cannot be used as they are; `mistakes` holds every one of them, sorted by place."""

    def __init__(self, mistakes: Iterable[Mistake], num_specs: int = 0, num_unread: int = 0) -> None:
        self.mistakes = tuple(sorted(mistakes, key=_place))
        self.num_specs = num_specs
        """How many specs there are in all."""
        self.num_unread = num_unread
        """How many of them could not be read, so that the names in them were not checked."""
        super().__init__("\n".join(f"{one.where}: {one.sentence}" for one in self.mistakes))

    @property
    def summary(self) -> str:
        """Return `2 mistakes in 2 of 9 specs.`, and what was not checked because a file could not be read."""
        num_files = len({one.path for one in self.mistakes})
        noun = "mistake" if len(self.mistakes) == 1 else "mistakes"
        text = f"{len(self.mistakes)} {noun} in {num_files} of {max(self.num_specs, num_files)} specs."
        return f"{text} {NOT_CHECKED}" if self.num_unread else text


def nearest_name(found: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like the one found, or None when none is near."""
    import difflib  # only people who mistyped pay for it

    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(found.casefold()[:100], folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def render(mistakes: Sequence[Mistake], width: int = WIDTH) -> str:
    """Return all mistakes as text in lines of a width: place, source line, caret, sentence."""
    return "\n".join(_rendered(mistake, width) for mistake in mistakes)


def _place(mistake: Mistake) -> tuple[str, int, int, str]:
    return mistake.path, mistake.line, mistake.column, mistake.message


def _rendered(mistake: Mistake, width: int) -> str:
    if mistake.source_line is None or not mistake.column:
        return "\n".join([mistake.where, *_told(INDENT, INDENT, mistake.sentence, width)])
    room = width - len(INDENT)
    shown, before, underlined = _window(mistake.source_line, mistake.column - 1, mistake.width, room)
    blank = "".join("\t" if char == "\t" else " " * _columns(char) for char in before)
    caret, under = f"{INDENT}{blank}{'^' * underlined}", f"{INDENT}{blank}{' ' * underlined}  "
    if width - len(under) < LEAST_ROOM:
        below = [caret, *_told(INDENT, INDENT, mistake.sentence, width)]
    else:
        below = _told(f"{caret}  ", under, mistake.sentence, width)
    return "\n".join([mistake.where, f"{INDENT}{shown}".rstrip(), *below])


def _told(first: str, later: str, sentence: str, width: int) -> list[str]:
    """Return a sentence in lines of a width, broken at spaces alone: what is to be copied stays whole."""
    import textwrap  # only people who made a mistake pay for it

    return textwrap.wrap(
        sentence,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
        expand_tabs=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )


def _window(line: str, offset: int, width: int, room: int) -> tuple[str, str, int]:
    """Cut a long line to what surrounds the mistake: what to show, what is before the caret, its width."""
    line = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in line)
    start = max(0, offset - room * 2 // 3) if len(line) > room else 0
    shown = line[start : start + room]
    before = shown[: offset - start]
    underlined = shown[offset - start : offset - start + max(width, 1)]
    return shown, before, max(1, sum(map(_columns, underlined)))


def _columns(char: str) -> int:
    """Return how many columns of a terminal a character takes."""
    import unicodedata  # for pictures of mistakes alone

    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - MAX_SHOWN_NAMES
    return ", ".join(names[:MAX_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
