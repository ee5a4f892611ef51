"""The README names commands that there are."""

import re
from pathlib import Path

from reconciler.cli.group import VERBS

README = Path(__file__).parents[3] / "README.md"


def test_every_command_of_the_readme_is_one() -> None:
    text = README.read_text()
    table = text.partition("## Commands")[2].partition("\n\n`reconcile COMMAND")[0]
    firsts = (row.split("|")[1] for row in table.splitlines() if "|" in row)
    named = {word for first in firsts for word in re.findall("`([a-z-]+)`", first)}
    called = set(re.findall(r"^(?:\$ )?reconcile (?:--root \S+ )?([a-z-]+)", text, re.MULTILINE))
    assert len(named) > 40
    assert sorted((named | called) - set(VERBS)) == []
