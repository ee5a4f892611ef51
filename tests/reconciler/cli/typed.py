"""Whether a command that a text names is one that the command line takes. Nothing is run."""

import shlex

import click

from reconciler.cli.group import reconcile
from reconciler.cli.session import Session


def can_be_typed(command: str) -> bool:
    """Is the beginning of this, up to its last option at least, a whole command line?"""
    words = _words(command)
    options = [place for place, word in enumerate(words) if word.startswith("--")]
    return any(parses(words[:end]) for end in range(max(options, default=0) + 1, len(words) + 1))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # the quote belongs to the text around it
        return command.replace('"', "").split()


def parses(words: list[str]) -> bool:
    """Are these words, without `reconcile`, a whole command line?"""
    try:
        parent = click.Context(reconcile, info_name="reconcile", obj=Session())
        _, command, rest = reconcile.resolve_command(parent, words)
        assert command is not None
        context = command.make_context(words[0], rest, parent=parent)
        if isinstance(command, click.Group):
            return _parses_below(command, context, rest)
    except click.UsageError:
        return False
    return True


def _parses_below(group: click.Group, context: click.Context, words: list[str]) -> bool:
    command = group.get_command(context, words[0])
    if command is None:
        return False
    command.make_context(words[0], words[1:], parent=context)
    return True
