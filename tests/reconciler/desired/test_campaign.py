"""What a campaign's file may say, and what is told when it says something else."""

import pytest

from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from state.contract.goals import Goals

CAMPAIGN = "specs/campaigns/pip/campaign-001.yaml"
REALM = "specs/realm.yaml"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("active", 'is "active"; known: archived, deleted; remove this line and name the campaign in specs/realm.yaml: active'),
        ("paused", 'is "paused"; known: archived, deleted; remove this line: a campaign that specs/realm.yaml does not name '
                   "is paused"),
        ("completed", 'is "completed"; known: archived, deleted; remove this line: a paused campaign whose goal is reached is '
                      "completed"),
        ("archive", 'is "archive"; known: archived, deleted; did you mean "archived"?'),
    ],
)  # fmt: skip
def test_a_state_that_a_file_cannot_give_is_refused_with_what_to_do(
    mistakes_in, small, state, sentence
) -> None:
    small[CAMPAIGN] = f"id: campaign-001\nstate: {state}\n"
    small[REALM] = "id: lab\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == f"{CAMPAIGN}:2:8: {sentence}"


@pytest.mark.parametrize("state", ["archived", "deleted"])
def test_an_active_line_that_names_an_archived_or_deleted_campaign_is_a_mistake(
    mistakes_in, small, state: str
) -> None:
    small[CAMPAIGN] = f"id: campaign-001\nstate: {state}\n"
    small[REALM] = "id: lab\nactive: pip/campaign-001\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == (
        f'{REALM}:2:9: "pip/campaign-001" is {state} ({CAMPAIGN}:2); name another campaign, or remove that line to '
        "restore it"
    )


def test_keeping_only_metrics_is_for_archived_campaigns(mistakes_in, small) -> None:
    small[CAMPAIGN] = "id: campaign-001\nkeep: metrics\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == (
        f"{CAMPAIGN}:2:1: keep: metrics is for archived campaigns; this one has no state: archived; add that line, or "
        "remove this one"
    )


def test_an_export_before_no_clean_up_is_a_mistake(mistakes_in, small) -> None:
    small[CAMPAIGN] = "id: campaign-001\nstate: archived\nexport_to: /mnt/nas\n"
    small[REALM] = "id: lab\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == (
        f"{CAMPAIGN}:3:1: export_to is for a clean-up; this campaign has neither keep: metrics nor "
        "state: deleted; add one of these, or copy now: reconcile export CAMPAIGN@STEP --to DIR"
    )


@pytest.mark.parametrize(
    ("goal", "place", "sentence"),
    [
        ("{}", "2:7", "says no goal; give one of updates, steps, tokens, quests; or remove it"),
        (
            "{updates: 5, steps: 5}",
            "2:20",
            "updates and steps are two names for one thing; remove one of them",
        ),
        ("{tokens: 0}", "2:16", "must be above 0 (got 0)"),
        ("{quest: 3}", "2:8", 'misspelt key "quest"; did you mean "quests"?'),
        ("{quests: many}", "2:16", 'is "many" (a string); expected a whole number'),
    ],
)
def test_a_goal_that_is_none_or_two_is_refused(mistakes_in, small, goal, place, sentence) -> None:
    small[CAMPAIGN] = f"id: campaign-001\ngoal: {goal}\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == f"{CAMPAIGN}:{place}: {sentence}"


def test_steps_are_updates(tree, small) -> None:
    small[CAMPAIGN] = "id: campaign-001\ngoal: {steps: 500, tokens: 9, quests: 2}\n"

    goal = load(tree(small), NoCache()).campaigns["pip/campaign-001"].spec.goal

    assert goal.goals == Goals(updates=500, tokens=9, quests=2)


@pytest.mark.parametrize("text", ["pip/campaign-002@7", "a/b@best", "a/b@latest", "a/b@0"])
def test_a_starting_checkpoint_is_one_of_any_campaign(tree, small, text) -> None:
    small[CAMPAIGN] = f"id: campaign-001\nstarting_checkpoint: {text}\n"

    assert load(tree(small), NoCache()).campaigns["pip/campaign-001"].spec.starting_checkpoint == text


EXPECTED = "expected <hero>/<campaign>@best, @latest or @<step>, or the absolute path of a folder"


@pytest.mark.parametrize(
    "text", ["a/b", "a@best", "a/b@-1", "a/b@1.5", "a/b@9999999999999999", "../x@best", "a/b@Best"]
)
def test_what_names_no_checkpoint_is_refused(mistakes_in, small, text) -> None:
    small[CAMPAIGN] = f"id: campaign-001\nstarting_checkpoint: {text}\n"

    (mistake,) = mistakes_in(small)

    assert mistake.message == f'is "{text}"; {EXPECTED}'


def test_a_campaign_does_not_begin_with_itself(mistakes_in, small) -> None:
    small[CAMPAIGN] = "id: campaign-001\nstarting_checkpoint: pip/campaign-001@best\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == (
        f"{CAMPAIGN}:2:22: is a checkpoint of this very campaign; name one of another campaign, or remove the line to "
        "begin with the base model"
    )


@pytest.mark.parametrize(
    ("milestones", "place", "sentence"),
    [
        ("[{step: 5}, {step: 5}]", "2:32", "5 is the step of milestones[0] already; put both notes into one"),
        ("[{step: 0}]", "2:21", "must be at least 1 (got 0)"),
        ("[{note: x}]", "2:14", "milestones[0].step is missing"),
        ("[{step: 5, date: soon}]", "2:30",
         'is "soon"; expected a date (2026-12-01) or a time with its zone (2026-12-01T08:00:00Z)'),
        ("[{stp: 5}]", "2:15", 'misspelt key "stp"; did you mean "step"?'),
        ("500", "2:13", "is 500 (a whole number); expected a list, for example [{step: ...}]"),
    ],
)  # fmt: skip
def test_a_milestone_that_says_nothing_or_the_same_twice_is_refused(
    mistakes_in, small, milestones, place, sentence
) -> None:
    small[CAMPAIGN] = f"id: campaign-001\nmilestones: {milestones}\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == f"{CAMPAIGN}:{place}: {sentence}"


@pytest.mark.parametrize("state", ["archived", "deleted"])
def test_a_campaign_that_is_suspended_and_archived_or_deleted_contradicts_itself(
    mistakes_in, small, state: str
) -> None:
    small[CAMPAIGN] = f"id: campaign-001\nstate: {state}\nsuspend: {{reason: new card}}\n"
    small[REALM] = "id: lab\n"

    (mistake,) = mistakes_in(small)

    assert f"{mistake.where}: {mistake.sentence}" == (
        f"{CAMPAIGN}:3:1: contradicts state: {state}: suspended, nothing is done for it, nor is it moved; keep one of "
        "the two lines: an archived or deleted campaign does not train anyway"
    )


@pytest.mark.parametrize("time", ["2026-12-01T08:00:00", "2026-12-01 08:00", "2026-12-01T08:00"])
@pytest.mark.parametrize(
    "key", ["suspend: {reason: new card, until: 'TIME'}", "milestones: [{step: 5, date: 'TIME'}]"]
)
def test_a_time_without_its_zone_is_refused_wherever_a_spec_may_say_one(
    mistakes_in, small, key: str, time: str
) -> None:
    small[CAMPAIGN] = f"id: campaign-001\n{key.replace('TIME', time)}\n"

    (mistake,) = mistakes_in(small)

    assert mistake.message == (
        f'is "{time}"; expected a date (2026-12-01) or a time with its zone (2026-12-01T08:00:00Z)'
    )


def test_a_skill_is_meant_by_its_longer_name_too(small, tree) -> None:
    small["specs/skills/bin.yaml"] = "id: bin\nmax_level: 3\n"
    small[CAMPAIGN] = "id: campaign-001\nskills_focus: [binary]\n"

    desired = load(tree(small), NoCache())

    assert desired.campaigns["pip/campaign-001"].spec.skills_focus == ("bin",)


def test_no_skill_has_the_longer_name_of_another_as_its_id(mistakes_in, small) -> None:
    small["specs/skills/binary.yaml"] = "id: binary\nmax_level: 3\n"

    (mistake,) = mistakes_in(small)

    assert mistake.sentence == '"binary" is another name of skill bin; give it an id of its own'
