"""The table is whole: every action is planned by some case, and whatever may be in the way is named by one."""

import ast
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler import plan as package
from reconciler.plan.actions import AnyAction
from reconciler.plan.changes import Plan

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
NAMERS = ("NoSource", "NoStart", "NoRollback", "Obstacle")
"""Records whose first value is the code of what is in the way."""
NOT_IN_A_CASE = {
    "vocabulary": "refused when the specs are read; here for a hero of an older cache",
    "skill-level": "refused when the specs are read; here for a quest of an older cache",
    "dropped-gone": "why a job fails at once (inbox_content_gone), seldom a blocker of its own",
}
"""Code → why not, and where else."""


def codes() -> Iterator[str]:
    """Yield every code of a blocker that is written down in the planners."""
    for path in sorted(Path(package.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield from _codes_of(node)


def _codes_of(call: ast.Call) -> Iterator[str]:
    given = [word.value for word in call.keywords if word.arg == "code"]
    if isinstance(call.func, ast.Name) and call.func.id in NAMERS:
        given += call.args[:1]
    yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


@pytest.mark.long
def test_each_action_is_planned_by_some_case(planned: Callable[[Mapping[str, Any]], Plan]) -> None:
    seen = set()
    for path in CASES:
        plan = planned(YAML(typ="safe").load(path.read_text()))
        changes = (*plan.changes, *(plan.awaiting.changes if plan.awaiting else ()))
        seen |= {type(change.action) for change in changes}
    assert set(typing.get_args(AnyAction)) - seen == set()


def test_each_code_of_a_blocker_is_in_some_case() -> None:
    told = "\n".join(path.read_text() for path in CASES)
    missing = {code for code in codes() if f"{code}: " not in told}
    assert missing == set(NOT_IN_A_CASE)
