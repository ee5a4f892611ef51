"""What apply looks through before it takes anything in: what is new, once, all of it by one process."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app.data.known_data import Gate, Memory
from reconciler.app.surroundings.environment import Environment
from state.contract.inspection import Guard, InspectRequest
from state.contract.row_contracts import BUILT_IN

Ask = Callable[..., tuple[InspectRequest, str]]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(
        cwd=tmp_path,
        home=tmp_path,
        variables={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        user="kim",
        host="lab",
        now=lambda: "2026-01-31T12:00:00Z",
    )


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Write a file of one row; return the question about it."""

    def make(name: str, *guards: Guard) -> tuple[InspectRequest, str]:
        file = tmp_path / f"{name}.jsonl"
        file.write_text(json.dumps({"prompt": name, "completion": "yes"}) + "\n")
        request = InspectRequest(path=str(file), contracts=BUILT_IN, depth="standard", guards=guards)
        return request, f"sha256:{name}"

    return make


def test_new_contents_are_looked_through_together_and_once(environment: Environment, ask: Ask) -> None:
    told: list[str] = []
    gate, asked = Gate(environment, told.append), [ask(name) for name in ("a", "b", "c", "d", "e")]
    assert Memory(environment).look(asked) == [None] * 5
    found = gate.look(asked)
    assert [one.num_rows for one in found if one] == [1] * 5
    assert gate.look(asked) == found
    assert Memory(environment).look(asked) == found
    (only,) = told
    assert only.startswith(f"looking through {asked[0][0].path}, {asked[1][0].path}, ")
    assert only.endswith(" and 2 files more")


def test_what_cannot_be_looked_through_is_told_once_and_is_unknown(
    environment: Environment, ask: Ask, tmp_path: Path
) -> None:
    told: list[str] = []
    gate = Gate(environment, told.append)
    bad = ask("bad", Guard(name="the held-out file", path=str(tmp_path / "no"), digest="sha256:0"))
    asked = [bad, ask("good")]
    assert [one is None for one in gate.look(asked)] == [True, False]
    assert [one is None for one in gate.look(asked)] == [True, False]
    assert len(told) == 2
    assert told[1].startswith(f"{bad[0].path}: the held-out file: ")
    assert told[1].endswith("; its rows are taken in unseen")
