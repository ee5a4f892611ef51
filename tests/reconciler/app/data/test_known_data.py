"""What apply looks through before it takes anything in: what is new, once, all of it by one process."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reconciler.app.data import inspecting
from reconciler.app.data.known_data import Gate, Memory, joined
from reconciler.app.surroundings.environment import Environment
from state.contract.inspection import Guard, InspectAnswer, Inspection, InspectRequest, unlooked
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


def test_what_cannot_be_looked_through_is_told_once_and_refused_for_a_while(
    environment: Environment, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    gate = Gate(environment, told.append)
    bad = ask("bad", Guard(name="the held-out file", path=str(tmp_path / "no"), digest="sha256:0"))
    asked = [bad, ask("good")]
    assert [one.num_errors for one in gate.look(asked) if one] == [1, 0]
    assert [one.num_errors for one in gate.look(asked) if one] == [1, 0]
    assert len(told) == 2
    assert told[1].startswith(f"{bad[0].path}: the held-out file: ")
    assert told[1].endswith("; its rows are not taken in")
    later = time.monotonic() + 301
    monkeypatch.setattr("reconciler.app.data.known_data.time.monotonic", lambda: later)
    gate.look(asked)
    assert len(told) == 4  # looked at again


@pytest.mark.parametrize("place", [0, 1])
def test_a_file_over_which_the_trainer_dies_hides_no_other(
    environment: Environment, ask: Ask, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    once = inspecting._ask_once

    def dying(
        environment: Environment, requests: Sequence[InspectRequest]
    ) -> tuple[list[InspectAnswer], str]:
        deadly = [number for number, one in enumerate(requests) if "deadly" in one.path]
        answered, _ = once(environment, requests[: deadly[0]] if deadly else requests)
        return answered, "exit code -9"

    monkeypatch.setattr(inspecting, "_ask_once", dying)
    names = ["a", "b", "c"]
    names.insert(place, "deadly")
    told: list[str] = []
    found = Gate(environment, told.append).look([ask(name) for name in names])
    assert [one.num_errors for one in found if one] == [int(name == "deadly") for name in names]
    assert told[1].endswith(
        "deadly.jsonl: the trainer could not look through it: exit code -9; its rows are not taken in"
    )


def test_a_trainer_that_answers_nothing_is_not_asked_for_each_file(
    environment: Environment, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def silent(
        _environment: Environment, requests: Sequence[InspectRequest]
    ) -> tuple[list[InspectAnswer], str]:
        begun.append(len(requests))
        return [], "no module named tokenizers"

    monkeypatch.setattr(inspecting, "_ask_once", silent)
    found = Gate(environment, lambda _: None).look([ask(name) for name in "abcdefgh"])
    assert [one.num_errors for one in found if one] == [1] * 8
    assert begun == [8, 7]


def test_rows_that_nobody_could_compare_with_an_examination_are_refused(ask: Ask) -> None:
    request, digest = ask("a")
    well = Inspection(depth="standard", contract="messages", digest=digest, num_rows=1)
    unseen = unlooked(request, "the trainer was killed")

    assert joined([well, unseen]) == unseen
    assert joined([well, well]) == well
    assert joined([well, None]) is None
