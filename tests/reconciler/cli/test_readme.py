"""The README names commands that there are, as they can be typed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from typed import parses

from reconciler.cli.verbs import VERBS

README = Path(__file__).parents[3] / "README.md"


def test_the_table_of_commands_names_every_one() -> None:
    table = README.read_text().partition("## Commands")[2].partition("\n\n`reconcile COMMAND")[0]
    firsts = (row.split("|")[1] for row in table.splitlines() if "|" in row)
    assert {word for first in firsts for word in re.findall("`([a-z-]+)`", first)} == set(VERBS)


def commands(text: str) -> Iterator[str]:
    """Yield what a person would type: in the blocks of commands, and between backticks."""
    for line in re.findall(
        r"^(?:\$ )?(.*\breconcile .*)$", "".join(re.findall(r"```\w+\n(.*?)```", text, re.S)), re.M
    ):
        typed = re.sub(r"\s+#.*", "", line)
        yield from (part for part in re.split(r"&&|;|\|", typed) if part.strip().startswith("reconcile "))
    for named in re.findall(r"`(reconcile [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        yield from (part for part in named.split("&&") if "COMMAND " not in part)


def test_every_command_of_the_readme_can_be_typed() -> None:
    found = list(commands(README.read_text()))
    assert len(found) > 60
    words = [_verb_first(shlex.split(command)[1:]) for command in found]
    assert [one for one in words if one[1:] and not parses(one)] == []
    assert {one[0] for one in words} <= set(VERBS)


def _verb_first(words: list[str]) -> list[str]:
    """Return the words with --root and --repo, which may stand before the verb, behind it."""
    before = 0
    while words[before] in ("--root", "--repo"):
        before += 2
    return [*words[before:], *words[:before]]
