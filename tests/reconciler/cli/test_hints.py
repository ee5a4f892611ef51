"""Every command that the software names can be typed as it stands: its verb, its options, what it needs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typed import can_be_typed

from reconciler.cli.session import Session

CHECKOUT = Path(__file__).resolve().parents[3]
CASES = CHECKOUT / "tests/reconciler/plan/cases"
_NAMED = re.compile(
    r"\breconcile ([a-z][a-z-]*(?![a-z-]).*?)(?=[;,:.]?(?:\s{2}|$)|[;,:.] |[)`|]|\\\\|&&|,? then reconcile)",
    re.M,
)
_DONE_BY_A_PERSON = re.compile(r"[a-z-]+ at \d")
"""`reconcile pause at 2026-...`: what was asked for, no advice."""
PROSE = {"downloads", "itself", "for"}
"""What reconcile does or does not, in a sentence."""
ELSEWHERE = {
    "reconciler/app/forges/checks.py": "with a forge's variables: test_checks runs these lines",
    "reconciler/app/migrating/migrate.py": "names who holds the lock",
    "reconciler/cli/commands/completion.py": "of any shell",
    "reconciler/cli/commands/init.py": "the beginning of a commit's words",
}


def commands(text: str) -> Iterator[str]:
    for found in _NAMED.finditer(text):
        if not _DONE_BY_A_PERSON.match(found[1]) and found[1].split()[0] not in PROSE:
            yield found[1].strip()


def texts_of(path: Path) -> Iterator[str]:
    """Yield every string of a module but its docstrings, each value in it as `1`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "1" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def test_every_command_in_a_text_of_ours_can_be_typed() -> None:
    found = {
        command: path.relative_to(CHECKOUT)
        for folder in ("reconciler", "state")
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        for text in texts_of(path)
        for command in commands(text)
    }
    assert len(found) > 80
    wrong = {one: str(where) for one, where in found.items() if not can_be_typed(one)}
    assert {one: where for one, where in wrong.items() if where not in ELSEWHERE} == {}
    assert set(wrong.values()) == set(ELSEWHERE)


def test_every_command_that_a_plan_names_can_be_typed() -> None:
    found = {command: path for path in CASES.glob("*.yaml") for command in commands(path.read_text())}
    assert len(found) > 30
    assert {one: path.name for one, path in found.items() if not can_be_typed(one)} == {}


@pytest.mark.parametrize(
    "command", ["undelet X", "undelete", "plan --nope", "wait realm", "approve", "refresh --accept"]
)
def test_what_cannot_be_typed_is_found(command: str) -> None:
    assert not can_be_typed(command)


def test_every_command_is_about_the_same_realm_wherever_it_stands() -> None:
    session = Session()
    session.root = "/srv/r"
    lines = [line for path in CASES.glob("*.yaml") for line in path.read_text().splitlines()]
    named = [(line, command) for line in lines if "pid " not in line for command in commands(line)]
    assert len(named) > 100
    for line, command in named:
        assert f"reconcile --root /srv/r {command}" in session.about_the_same(line)


def test_a_warning_names_the_realm_that_it_is_about(run, lab: Path, root: Path, git) -> None:
    assert run("apply", "--once", "--only", "campaign/*").exit_code == 0
    queue = lab / "specs/queue.yaml"
    queue.write_text(queue.read_text().replace("skill:", "skil:"))
    git(lab, "commit", "-qam", "Mistakes")
    told = run("--root", str(root), "status").stderr
    assert f"(see reconcile --root {root} validate --ref HEAD)" in told
