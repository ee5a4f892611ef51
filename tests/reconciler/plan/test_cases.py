"""Every subject of the plan as a table: specs and facts in, changes and blockers out. One file a case."""

from importlib import import_module
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from reconciler.plan import planner
from reconciler.plan.actions import LaunchRun
from reconciler.plan.checkpoints import ledger
from reconciler.plan.occasions import always
from reconciler.plan.sentences import sentence_of
from state.ids import campaign_uid, job_uid

UID = campaign_uid("1" * 16, "pip/campaign-001")
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def _lines(plan):
    for change in plan.changes:
        symbol, verb, subject, what = sentence_of(change.action)
        failed = f" | {change.setback.text} | {change.setback.hint}" if change.setback else ""
        yield f"{symbol} {verb} {subject} | {what or '-'} | {change.reason} | {change.cause}{failed}"


def _ordered(plan):
    """Return the jobs that a launch is given, in their order."""
    return [
        uid
        for change in plan.changes
        if isinstance(change.action, LaunchRun)
        for uid in change.action.job_uids
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_plan_of_each_case_is_as_its_file_says(path, planned):
    case = YAML(typ="safe", pure=True).load(path.read_text())
    plan = planned(case)
    assert list(_lines(plan)) == case.get("plan", [])
    assert [f"{b.subject} {b.code}: {b.message} | {b.cause} | {b.hint}" for b in plan.blocked] == case.get(
        "blocked", []
    )
    assert list(plan.warnings) == case.get("warnings", [])
    if "sources" in case:
        assert [change.source for change in plan.changes] == case["sources"]
    if "orders" in case:
        assert _ordered(plan) == [job_uid(UID, quest) for quest in case["orders"]]


def test_whatever_waits_or_is_blocked_names_its_cause_and_a_way_out(planned):
    """Nobody is left before a state that nothing ends: each has the line or fact behind it, and what to do."""
    plans = [planned(YAML(typ="safe").load(path.read_text())) for path in CASES]
    blocked = [one for plan in plans for one in plan.blocked]
    assert len({one.code for one in blocked}) > 40
    for one in blocked:
        assert all((one.code, one.message.strip(), one.cause.strip(), one.hint.strip())), one


def test_no_case_is_planned_otherwise_where_nothing_is_left_out_as_recorded(planned, monkeypatch):
    """A campaign whose checkpoints are as recorded is not asked about further: that never changes a plan."""
    texts = [text for path in CASES if "checkpoints" in (text := path.read_text())]
    found = [YAML(typ="safe").load(text) for text in texts]
    before = [planned(case) for case in found]
    asked = []
    monkeypatch.setattr(ledger, "_is_as_recorded", lambda _world, row: asked.append(row))
    assert [planned(case) for case in found] == before
    assert asked


def test_no_case_is_planned_otherwise_where_every_planner_is_asked(planned, monkeypatch):
    """A planner without an occasion is left out: it would have said nothing."""
    found = [YAML(typ="safe").load(path.read_text()) for path in CASES]
    before = [planned(case) for case in found]
    left_out = []

    def yes(one, world):
        left_out.append(one.name) if not one.occasion(world) else None
        return True

    planners = planner.PLANNERS
    monkeypatch.setattr(
        planner,
        "PLANNERS",
        [msgspec.structs.replace(one, occasion=lambda world, one=one: yes(one, world)) for one in planners],
    )
    for case, plan in zip(found, before, strict=True):
        assert planned(case) == plan, case
    assert set(left_out) == {one.name for one in planners if one.occasion is not always}


def test_every_planner_is_where_the_list_says():
    for one in planner.PLANNERS:
        assert callable(getattr(import_module(f"reconciler.plan.{one.module}"), one.name))
