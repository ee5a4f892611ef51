"""`--only` and `--exclude`: whole subjects, what they need with them, and never half of a thing."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.plan.actions import GiveOrders, LaunchRun, TakeApproval
from reconciler.plan.review.narrowing import Choice, fits, narrowed, needs_of, unfitting

CASES = sorted((Path(__file__).parents[1] / "cases").glob("*.yaml"))
_PARSE = YAML(typ="safe")
_PLANS = []


def kinds(plan):
    return [type(change.action).__name__ for change in plan.changes]


@pytest.fixture
def plans(planned):
    """Every plan of the table that does at least two things; made once, since nothing changes them."""
    if not _PLANS:
        found = [planned(_PARSE.load(path.read_text())) for path in CASES]
        _PLANS.extend(plan for plan in found if len(plan.changes) > 1)
    return _PLANS


def test_what_is_left_needs_nothing_that_was_left_out_whatever_is_excluded(plans):
    num_tried = 0
    for plan in plans:
        needs = needs_of(plan.changes)
        for subject in {change.subject for change in plan.changes}:
            left = narrowed(plan, Choice(exclude=(subject,)))
            kept = {change.id for change in left.changes}
            assert not any(change.subject == subject for change in left.changes)
            assert all(need in kept for one in kept for need in needs[one] if need in needs)
            assert len(left.changes) + len(left.left_out) == len(plan.changes)
            num_tried += 1
    assert num_tried > 100


def test_what_a_chosen_change_needs_comes_along_in_the_order_of_the_plan(plans):
    for plan in plans:
        needs, order = needs_of(plan.changes), [change.id for change in plan.changes]
        for subject in {change.subject for change in plan.changes}:
            left = [change.id for change in narrowed(plan, Choice(only=(subject,))).changes]
            chosen = {change.id for change in plan.changes if change.subject == subject}
            assert chosen <= set(left)
            assert left == [one for one in order if one in set(left)]
            assert all(need in left for one in left for need in needs[one] if need in needs)


def test_the_launch_of_a_new_realm_brings_its_campaign_and_quest_along_and_says_so(planned):
    plan = planned({})
    left = narrowed(plan, Choice(only=("run/*",)))
    assert kinds(left)[-1] == "LaunchRun"
    assert {"RegisterCampaign", "EnqueueJob"} <= set(kinds(left))
    assert "create campaign pip/campaign-001 comes along: launch pip/campaign-001 needs it" in left.warnings


def test_what_needs_an_excluded_change_is_left_out_by_name(planned):
    left = narrowed(planned({}), Choice(exclude=("quest/q1",)))
    assert not {"LaunchRun", "EnqueueJob", "GenerateQuest"} & set(kinds(left))
    said = "launch pip/campaign-001 is left out, too: it needs enqueue quest q1, which --exclude leaves out"
    generated = said.replace("enqueue", "generate")
    assert {said, generated} & set(left.warnings)


def test_exclude_wins_over_only_and_without_either_the_plan_is_the_same(planned):
    plan = planned({})
    assert narrowed(plan, Choice()) is plan
    assert narrowed(plan, Choice(only=("quest/q1",), exclude=("q1",))).changes == ()


def test_orders_are_not_given_without_the_jobs_that_they_name(plans):
    found = 0
    for plan in plans:
        jobs = [change for change in plan.changes if type(change.action).__name__ == "EnqueueJob"]
        for job in jobs:
            left = narrowed(plan, Choice(exclude=(job.subject,)))
            named = [
                change.action.job_uids
                for change in left.changes
                if isinstance(change.action, GiveOrders | LaunchRun)
            ]
            assert not any(job.action.job_uid in uids for uids in named)
            found += 1
    assert found > 5


@pytest.mark.parametrize(
    ("case", "trains"), [("epochs_raised", "LaunchRun"), ("epochs_raised_while_training", "GiveOrders")]
)
def test_further_epochs_are_trained_only_with_the_change_that_asks_for_them(planned, case, trains):
    plan = planned(_PARSE.load((CASES[0].parent / f"{case}.yaml").read_text()))
    assert kinds(plan) == ["UpdateJob", trains]
    left = narrowed(plan, Choice(exclude=("quest/q1",)))
    assert left.changes == ()
    assert [said for said in left.warnings if "it needs change quest q1, which --exclude leaves out" in said]
    assert kinds(narrowed(plan, Choice(only=("run/*",)))) == ["UpdateJob", trains]


def test_no_trainer_is_started_without_the_only_content_that_there_is_to_train(planned):
    lost = {"pip/campaign-001": {"jobs": {"q1": {"status": "queued"}}}}
    plan = planned({"facts": {"active": "pip/campaign-001", "campaigns": lost}})
    assert {"GenerateQuest", "LaunchRun"} <= set(kinds(plan))
    assert "EnqueueJob" not in kinds(plan)
    assert "LaunchRun" not in kinds(narrowed(plan, Choice(exclude=("quest/q1",))))
    assert "GenerateQuest" in kinds(narrowed(plan, Choice(only=("run/*",))))


def test_an_approval_is_not_used_up_without_what_it_is_for(plans):
    taken = [plan for plan in plans if "TakeApproval" in kinds(plan)]
    checked = 0
    for plan in taken:
        drops = [change for change in plan.changes if type(change.action).__name__ == "TrashCheckpoint"]
        for drop in drops:
            left = narrowed(plan, Choice(exclude=(drop.subject,)))
            of_it = [c for c in left.changes if isinstance(c.action, TakeApproval) and c.id in drop.needs]
            assert of_it == []
            checked += 1
    assert checked > 0


def test_a_pattern_fits_with_the_kind_and_without(planned):
    assert fits("campaign/pip/campaign-001", ["pip/*"])
    assert fits("campaign/pip/campaign-001", ["campaign/*"])
    assert fits("queue", ["queue"])
    assert not fits("campaign/pip/campaign-001", ["pip"])


def test_a_pattern_that_fits_nothing_is_named_with_what_there_is(planned):
    plan = planned({})
    (said,) = unfitting(plan, Choice(only=("quests/*", "quest/*")))
    assert said.startswith(
        '--only "quests/*" fits nothing of this plan; it is about: campaign/pip/campaign-001'
    )


def test_who_asked_for_a_look_at_the_source_is_answered_whatever_is_left_out(planned):
    made = [planned(_PARSE.load(text)) for path in CASES if "refresh" in (text := path.read_text())]
    answered = [plan for plan in made if "AnswerRefresh" in kinds(plan)]
    assert answered
    for plan in answered:
        assert "AnswerRefresh" in kinds(narrowed(plan, Choice(only=("campaign/nothing-like-it",))))
        assert "AnswerRefresh" not in kinds(narrowed(plan, Choice(exclude=("source",))))
