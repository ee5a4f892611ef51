"""What releases cost on top of the queue: told beforehand, while they are made, and no more once they are."""

import msgspec
import pytest
from case_runs import with_run

from reconciler.app.data.planned_queue import planned_queue, works_of
from reconciler.plan.actions import LaunchRun
from reconciler.plan.costs.training import Work, training_cost

CAMPAIGN = "pip/campaign-001"


def spec(*releases: str, more: str = "", settings: str = "warmup_steps: 4") -> str:
    return f"id: campaign-001\nreleases: [{', '.join(releases)}]\n{more}config_overrides: {{{settings}}}\n"


def case_of(spec_text: str, **campaign):
    facts = {"active": CAMPAIGN, "data": ["q1"], "campaigns": {CAMPAIGN: campaign}} if campaign else {}
    return {"specs": {"campaigns/pip/campaign-001.yaml": spec_text}, "facts": facts}


@pytest.fixture
def cost(world_of, planned):
    """Return what training costs of a case, where these works are left."""

    def make(case, *works: Work):
        world, plan = world_of(case), planned(case)
        launch = next((one.action for one in plan.changes if isinstance(one.action, LaunchRun)), None)
        world = with_run(world, launch) if launch is not None and not case["facts"] else world
        return training_cost(world, plan.changes, works or works_of(planned_queue(world, plan.changes, {})))

    return make


def hundred() -> Work:
    """Return a quest of 100 updates and 5,000 tokens; a run alike takes a second for 50 tokens."""
    return Work(rows=None, updates=100, tokens=5000, epochs_left=1.0)


def told(found) -> list[tuple[int, int | None, int, int]]:
    return [(one.at, one.branches_at, one.updates, one.waiting) for one in found.releases]


def test_the_first_plan_tells_updates_tokens_and_time_of_a_release_and_the_whole_has_them(cost) -> None:
    """It branches off the first checkpoint that is saved at or after its step."""
    every = "warmup_steps: 4, checkpoint: {every_updates: 40}"
    found = cost(case_of(spec("{at: 35, updates: 20}", settings=every)), hundred())
    assert told(found) == [(35, 40, 20, 0)]
    assert (found.releases[0].tokens, found.releases[0].num_saves) == (1000, 1)
    assert found.releases[0].time.seconds == pytest.approx(20.0)
    assert (found.updates, found.tokens, found.num_saves) == (120, 6000, 3 + 1)
    assert found.time.seconds == pytest.approx(120.0)


@pytest.mark.parametrize(
    ("release", "more", "expected"),
    [
        pytest.param("{at: 90, updates: 20}", "", (90, 100, 0, 20), id="no row comes after the last save"),
        pytest.param("{at: 101, updates: 20}", "", (101, None, 0, 0), id="training ends before it"),
        pytest.param("{at: 60, updates: 70}", "goal: {updates: 60}\n", (60, 60, 40, 30), id="rows for some"),
        pytest.param("{at: 61, updates: 5}", "goal: {updates: 60}\n", (61, None, 0, 0), id="beyond the goal"),
        pytest.param("{at: 1, updates: 5}", "goal: {updates: 4}\n", (1, 4, 5, 0), id="after the warm-up"),
    ],
)
def test_a_release_makes_the_updates_for_which_there_are_rows(cost, release, more, expected) -> None:
    found = cost(case_of(spec(release, more=more)), hundred())
    assert told(found) == [expected]


def test_a_release_that_is_never_made_costs_nothing(cost) -> None:
    falls = "warmup_steps: 4, lr_scheduler: linear, schedule_updates: 50"
    found = cost(case_of(spec("{at: 10, updates: 20}", settings=falls)), hundred())
    assert (found.releases, found.updates) == ((), 100)


def test_where_nobody_knows_the_rows_a_release_is_told_as_its_spec_wants_it(cost) -> None:
    unknown = Work(rows=None, updates=None, tokens=None, epochs_left=1.0)
    found = cost(case_of(spec("{at: 35, updates: 20}")), unknown)
    assert (told(found), found.updates) == ([(35, 35, 20, 0)], None)


BRANCH = {
    "number": 2, "kind": "decay", "parent_step": 20, "wanted": "release at 15: 5 updates to 0.1",
    "reason": "asked", "updates": 5, "final_ratio": 0.1,
}  # fmt: skip


def test_of_a_release_that_is_begun_what_is_left_is_told(cost) -> None:
    """The living history stands at step 30, and has learnt the rows that the branch learns by itself."""
    saved = [{"step": 10}, {"step": 20}, {"step": 30}, {"step": 23, "segment": 2, "aside": True}]
    case = case_of(spec("{at: 15, updates: 5}"), segments=[BRANCH], checkpoints=saved, jobs={"q1": {}})
    assert told(cost(case, hundred())) == [(15, 23, 2, 0)]


def test_a_release_that_is_made_costs_nothing_any_more(cost) -> None:
    saved = [{"step": 10}, {"step": 20}, {"step": 25, "segment": 2, "aside": True}]
    case = case_of(spec("{at: 15, updates: 5}"), segments=[BRANCH], checkpoints=saved, jobs={"q1": {}})
    found = cost(case, hundred())
    assert (found.releases, found.updates) == ((), 100)


def test_a_plan_that_only_begins_a_release_of_what_is_learnt_tells_its_cost(cost) -> None:
    jobs = {"q1": {"status": "completed", "start_step": 1}}
    saved = [{"step": 10}, {"step": 20, "learnt": {"q1": {"epochs_done": 1}}}]
    runs = [{"end": "finished", "last_checkpoint_step": 20}]
    case = case_of(spec("{at: 5, updates: 5}"), checkpoints=saved, jobs=jobs, runs=runs)
    found = cost(case)
    assert (told(found), found.updates, found.device) == ([(5, 10, 5, 0)], 5, "cpu")
    assert msgspec.json.encode(found)
