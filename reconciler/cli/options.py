"""Options as click has them, but for one thing: their help is taken as it is.

click cleans each text with `inspect`, which costs more to import than a command's own arguments to read.
"""

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

Decorated = TypeVar("Decorated", bound="Callable[..., Any] | click.Command")


class Option(click.Option):
    """An option whose help is one line, as every one of ours is."""

    def __init__(self, *args: Any, help: str | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.help = help


def option(*names: str, **attributes: Any) -> "Callable[[Decorated], Decorated]":
    """Return the decorator that gives a command this option."""
    return click.option(*names, cls=Option, **attributes)


class FileName(click.ParamType[str]):
    """The name of a file, not of a folder; click's own looks for a translation of its name at once."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it was said.

        Raises:
            click.BadParameter: it is a folder.
        """
        return str(click.Path(dir_okay=False, path_type=str).convert(value, param, ctx))


class LightHelp(click.Command):
    """A command whose `--help` is such an option, too."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        if self._help_option is None:
            self._help_option = Option(
                (*self.get_help_option_names(ctx), "show_help"),
                is_flag=True, is_eager=True, expose_value=False, callback=_show_help,
                help="Show this message and exit.",
            )  # fmt: skip
        return self._help_option


def _show_help(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    del param
    if value and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
