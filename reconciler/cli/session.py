"""What the global options say, and the way out to the terminal. Imported by every command; kept light."""

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.options import LightHelp, Option, option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.app.surroundings.environment import Environment
    from reconciler.app.surroundings.place import Options
    from reconciler.cli.text_layout import Paint

WIDTH_WITHOUT_TERMINAL = 80
Seen = TypeVar("Seen")


class Session:
    """One call of the command line."""

    def __init__(self) -> None:
        self.repo: str | None = None
        self.root: str | None = None
        self.host: str | None = None
        self.no_color = False
        self.quiet = False
        self.verbose = False
        self._kept: object = None

    def keep(self, seen: Seen) -> Seen:
        """Hold what was looked at to the end: taking a thousand campaigns to pieces costs 30 ms."""
        self._kept = seen
        return seen

    def options(
        self,
        settings: "Sequence[str]" = (),
        *,
        source: str | None = None,
        branch: str | None = None,
        new_root: bool = False,
    ) -> "Options":
        """Return where repository and root were said to be, and what is different this time."""
        from pathlib import Path

        from reconciler.app.surroundings.place import Options

        return Options(
            repository=Path(self.repo) if self.repo else None,
            root=Path(self.root) if self.root else None,
            host=self.host,
            source=source,
            branch=branch,
            is_new_root=new_root,
            settings=tuple(settings),
        )

    def said(self, settings: "Sequence[str]" = ()) -> str:
        """Return the options of this command that another one needs to be about the same."""
        import shlex

        named = (("--repo", self.repo), ("--root", self.root), ("--host", self.host))
        words = [word for name, value in named if value for word in (name, value)]
        return shlex.join([*words, *(word for one in settings for word in ("--set", one))])

    def environment(self) -> "Environment":
        """Return what is around this process."""
        from reconciler.app.surroundings.environment import current_environment

        return current_environment()

    @property
    def has_terminal(self) -> bool:
        return sys.stdout is not None and sys.stdout.isatty()  # None: closed by whoever started us

    @property
    def width(self) -> int:
        """How many columns there are."""
        if not self.has_terminal:
            return WIDTH_WITHOUT_TERMINAL
        import shutil

        return max(40, shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns)

    def table_width(self, *, wide: bool = False) -> int | None:
        """Return how many columns a table has; None, which is as many as it needs, with --wide."""
        return None if wide else self.width

    @property
    def paint(self) -> "Paint":
        """Return what colours text; it leaves it alone without a terminal, with --no-color or NO_COLOR."""
        from reconciler.cli.text_layout import Paint

        plain = self.no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return Paint(on=self.has_terminal and not plain, on_terminal=self.has_terminal)

    def say(self, text: str) -> None:
        """Print a command's result, our hints in it completed."""
        from reconciler.cli.text_layout import harmless

        click.echo(harmless(self.about_the_same(text)), color=True)

    def say_as_it_is(self, text: str) -> None:
        """Print what is no text of ours to a person here: a diff, a file, a comment, an answer."""
        from reconciler.cli.text_layout import harmless, unmarked

        click.echo(harmless(unmarked(text)), color=True)

    def say_line(self, text: str) -> None:
        """Print one line of a text that is not ours, such as a log: no colours pass either."""
        from reconciler.cli.text_layout import safe

        click.echo(safe(text))

    def note(self, text: str) -> None:
        """Print on stderr what is worth knowing beside the result; nothing with --quiet."""
        from reconciler.cli.text_layout import escaped

        if not self.quiet:
            click.echo(escaped(self.about_the_same(text)), err=True)

    def about_the_same(self, text: str) -> str:
        """Return the text with --repo, --root and --host of this call in every command that we name in it.

        What was done (`reconcile pause at ...`), or runs, is no hint: it stays. So do words of people, which
        `theirs` has marked.
        """
        from reconciler.cli.text_layout import unmarked

        said = self.said()
        if not said or "reconcile " not in text:
            return unmarked(text)
        import re

        from reconciler.cli.verbs import VERBS

        hint = re.compile(rf"\breconcile (?!init )(?=({'|'.join(VERBS)})(?![a-z-])(?! at \d))")
        return "\n".join(
            unmarked(
                line if "pid " in line or said in line else hint.sub(lambda _: f"reconcile {said} ", line)
            )
            for line in text.split("\n")
        )

    def warn(self, text: "str | None") -> None:
        """Print a warning on stderr, also with --quiet: what was printed may not be what it seems."""
        from reconciler.cli.text_layout import escaped

        if text:
            click.echo(escaped(self.about_the_same(f"Warning: {text}")), err=True)

    def say_json(self, record: Any) -> None:
        """Print a record as indented JSON."""
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(record), indent=2))

    def say_json_line(self, record: Any) -> None:
        """Print a record as JSON in one line, at once."""
        import msgspec

        click.echo(msgspec.json.encode(record))


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep what was said; a flag after the verb wins over one before it."""
    session = ctx.find_object(Session)
    if session is not None and value and param.name:
        setattr(session, param.name, value)


def common_options() -> "list[click.Parameter]":
    """Return the options that may stand before or after every verb."""
    return [
        _option("--repo", metavar="DIR", help="The specs repository (default: REALM_REPO, or here)."),
        _option(
            "--root", metavar="DIR", help="The realm's root (default: REALM_ROOT, or as the realm says)."
        ),
        _option(
            "--host", metavar="ID", help="This machine in hosts.yaml (default: REALM_HOST, or its name)."
        ),
        _option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same."),
        _option("-q", "--quiet", is_flag=True, help="Only the result, no hints."),
        _option("-v", "--verbose", is_flag=True, help="More detail; an unexpected error with its traceback."),
    ]


def _option(*names: str, **attributes: Any) -> Option:
    return Option(names, expose_value=False, callback=_remember, **attributes)


def set_option() -> "Callable[[Any], Any]":
    """Return the option of commands whose config has the command line as its last layer."""
    return option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting for this command only, above every spec: learning_rate=1e-4; may be repeated.",
    )


def choice_options() -> "Callable[[Any], Any]":
    """Return the options that choose what a plan is about: `--only` and `--exclude`."""
    only = option(
        "--only", multiple=True, metavar="GLOB", help="Only these subjects, such as quest/q1 or 'tiny/*'."
    )
    exclude = option(
        "--exclude", multiple=True, metavar="GLOB", help="All but these, and what cannot go without them."
    )
    return lambda command: only(exclude(command))


def wide_option() -> "Callable[[Any], Any]":
    """Return the option of commands that print a table."""
    return option("--wide", is_flag=True, help="Every column, a row a line, however wide.")


class Verb(LightHelp):
    """A command with the common options and a section of examples."""

    def __init__(self, *args: Any, examples: "Sequence[tuple[str, str]]" = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params = [*self.params, *common_options()]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Examples"):
            for call, does in self.examples:
                formatter.write_text(f"{call}")
                formatter.indent()
                formatter.write_text(does)
                formatter.dedent()
