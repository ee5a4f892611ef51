"""The group of all verbs: help and start cost one import of click and no more."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from reconciler.cli.light import import_msgspec
from reconciler.cli.options import LightHelp
from reconciler.cli.session import Session, common_options
from reconciler.cli.verbs import VERBS


class Verbs(LightHelp, click.Group):
    """A group that imports a verb only when it is used, and ends with the exit codes of the documentation."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        import_msgspec()
        module = import_module(f"reconciler.cli.commands.{VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(_unknown_verb(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the verb and leave; every expected error is told in words, on stderr."""
        del standalone_mode, windows_expand_args
        session = Session()
        _never_fail_to_print()
        args = list(sys.argv[1:] if args is None else args)
        if args[:1] == ["--version"]:  # as other programs have it
            args[0] = "version"
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, obj=session, **extra)
        except Exception as error:  # noqa: BLE001 - the outermost edge: told, and the exit code says so
            from reconciler.cli.failures import report

            code = report(error, session)
        sys.exit(code if isinstance(code, int) else 0)


def _unknown_verb(name: str) -> str:
    from reconciler.cli.text_layout import safe
    from reconciler.desired.mistakes import nearest_name

    near = nearest_name(name, VERBS)
    meant = f'; did you mean "{near}"?' if near else ""
    return f'there is no command "{safe(name)}"{meant}'


def _never_fail_to_print() -> None:
    """Print a character that the terminal's encoding lacks as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


@click.group(cls=Verbs, params=common_options(), context_settings={"help_option_names": ["-h", "--help"]})
def reconcile() -> None:
    """Train language models from specs in git.

    `reconcile plan` shows what the specs at a commit would change, `reconcile apply` does exactly that.
    Every command has --help with examples.
    """
