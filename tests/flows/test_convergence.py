"""From any world that can be generated: apply comes to an end, then there is nothing to do; plan only looks.

Trainers are instant ones (see instant.py); git, files, store, journal and every planner and executor are real.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edits import CAMPAIGNS, WHO, Edit, Trouble, check_books, edits, new_world, specs_of, suffer, troubles
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from in_memory import new_folder
from worlds import check_nothing_is_left, check_plan_only_looks

from reconciler.act.environment import _finds_this_software
from state.store.connection import open_reader, open_writer


@pytest.fixture(scope="module")
def places() -> Iterator[Path]:
    """Return a folder in memory where there is one: the same calls, and no wait for a disk."""
    folder = new_folder()
    _finds_this_software()  # asked once here, so that not every forked child asks
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def assert_world_converges(places: Path, edit: Edit, trouble: Trouble, later: Edit | None) -> None:
    folder = Path(tempfile.mkdtemp(dir=places))
    world = new_world(folder)
    world.commit(specs_of(world, edit))
    check_plan_only_looks(world)
    if trouble.kill_at is not None:
        note(f"killed: {world.apply_killed(trouble.fates, trouble.kill_at)}")
        check_plan_only_looks(world)
    world.apply(trouble.fates)
    check_nothing_is_left(world)
    check_books(world.lab, edit)
    suffer(world, trouble)
    check_plan_only_looks(world)
    if trouble.kill_at is not None:
        world.apply_killed((), trouble.kill_at // 4 + 1)
    later = later or edit
    world.commit(specs_of(world, later))
    world.apply(trouble.fates[1:])
    check_nothing_is_left(world)
    check_books(world.lab, later)
    assert world.apply() == 1
    shutil.rmtree(folder)


ANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.timeout(900)
@settings(ANY, max_examples=20, derandomize=True, phases=[Phase.generate])
@given(edit=edits(), trouble=troubles, later=st.none() | edits())
def test_after_apply_there_is_nothing_to_do_and_plan_only_looks(
    places: Path, edit: Edit, trouble: Trouble, later: Edit | None
) -> None:
    assert_world_converges(places, edit, trouble, later)


def test_two_processes_that_order_their_sets_differently_plan_the_same_bytes(places: Path) -> None:
    world = new_world(Path(tempfile.mkdtemp(dir=places)))
    quests = [{"id": name, "file": f"data/{name}.jsonl", "for": [*WHO]} for name in "edcba"]
    missing = [{"id": f"m{i}", "file": f"data/m{i}.jsonl"} for i in range(5)]
    edit = Edit([*CAMPAIGNS], CAMPAIGNS[0], quests + missing, {}, None, 0.001)
    world.commit(specs_of(world, edit))

    def planned(hash_seed: str) -> dict[str, Any]:
        world.lab.variables["PYTHONHASHSEED"] = hash_seed
        plan = {key: value for key, value in world.lab.plan().items() if key != "seen_at"}
        return without(plan, "free_bytes")  # the machine's, which is another one at each look

    first = planned("1")
    assert len(first["changes"]) > 10
    assert len(first["blocked"]) >= 5
    assert json.dumps(first) == json.dumps(planned("2")) == json.dumps(planned("3"))


def without(value: Any, key: str) -> Any:
    """Return JSON without what stands under a key, wherever that is."""
    if isinstance(value, dict):
        return {name: without(inner, key) for name, inner in value.items() if name != key}
    return [without(inner, key) for inner in value] if isinstance(value, list) else value


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(ANY, max_examples=300)
@given(edit=edits(), trouble=troubles, later=st.none() | edits())
def test_many_more_worlds_converge(places: Path, edit: Edit, trouble: Trouble, later: Edit | None) -> None:
    assert_world_converges(places, edit, trouble, later)


def test_a_tick_that_does_something_trims_the_journal_once_a_day(places: Path) -> None:
    world = new_world(Path(tempfile.mkdtemp(dir=places)))
    specs = specs_of(world, Edit([CAMPAIGNS[0]], CAMPAIGNS[0], [], {}, None, 0.001))
    world.commit(specs)
    world.apply()
    store = open_writer(world.lab.layout.store)
    store.execute("UPDATE actions SET kind = 'ReadAgain' WHERE number = 1")
    store.execute("UPDATE actions SET number = 90000 WHERE number = (SELECT max(number) FROM actions)")
    store.close()
    world.commit(specs_of(world, Edit([*CAMPAIGNS[:2]], CAMPAIGNS[0], [], {}, None, 0.001)))

    world.apply()

    with open_reader(world.lab.layout.store) as reader:
        (left,) = reader.execute("SELECT count(*) FROM actions WHERE kind = 'ReadAgain'").fetchone()
    assert left == 0
