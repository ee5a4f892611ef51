"""`explain` names the smallest set of things that have to be mended, all of it, with the cheapest way out of each."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.plan.ahead import in_thought

MU = "mu/campaign-001"


@pytest.fixture
def commit(lab: Path, git: Callable[..., str]) -> Callable[..., None]:
    """Write these files below specs/ and commit them."""

    def make(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            (lab / "specs" / name).write_text(text)
        git(lab, "add", "-A")
        git(lab, "commit", "-qm", "Specs")

    return make


def told(run, thing: str) -> list[tuple[str, str, str]]:
    """Return subject, code and hint of each thing in the way, in their order."""
    done = run("explain", thing, "--json")
    assert done.exit_code == 0, done.stderr
    return [(one["subject"], one["code"], one["hint"]) for one in json.loads(done.stdout)["blocked"]]


def test_of_a_campaign_that_is_not_active_all_that_is_in_its_way_is_told_at_once(run, commit) -> None:
    """A plan says nothing of its suspensions: whoever made it active would meet them one after the other."""
    commit(
        {
            "realm.yaml": "id: lab\nactive: pip/campaign-001\nsuspend: {reason: moving, until: 2999-01-07}\n",
            "campaigns/mu/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card}\n",
        }
    )
    assert told(run, MU) == [
        (f"campaign/{MU}", "not-active", f"realm.yaml: active: {MU}"),
        (f"campaign/{MU}", "suspended", f"when it may go on: reconcile unsuspend {MU}"),
        (f"campaign/{MU}", "suspended", "when it may go on: reconcile unsuspend realm"),
    ]


def test_what_a_plan_would_name_only_after_these_is_told_with_them(run, commit, lab: Path) -> None:
    """Whether its hero can be trained at all is seen with everything else lifted."""
    hero = (lab / "specs/heroes/mu.yaml").read_text()
    commit(
        {
            "heroes/mu.yaml": hero.replace("  learning_rate", "  optimizer: galore_adamw\n  learning_rate"),
            "campaigns/mu/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card}\n",
        }
    )
    assert [code for _, code, _ in told(run, MU)] == ["not-active", "suspended", "unsupported"]


def test_once_all_of_it_is_mended_the_campaign_is_launched(run, commit, lab: Path) -> None:
    """The set is enough: what apply does after these edits is the launch."""
    commit({"campaigns/mu/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card}\n"})
    assert len(told(run, MU)) == 2
    assert run("unsuspend", MU).exit_code == 0
    realm = lab / "specs/realm.yaml"
    commit({"realm.yaml": realm.read_text().replace("pip/campaign-001", MU)})
    assert told(run, MU) == []
    assert f"run/{MU}" in [one["subject"] for one in json.loads(run("plan", "--json").stdout)["changes"]]


def test_a_person_s_pause_behind_a_suspension_is_told_with_it(run, commit, store, rows) -> None:
    held = rows.campaign(hold="pause", hold_by="ada", hold_why="too warm", hold_at="2026-01-31T12:00:00Z")
    store.write([held])
    commit({"campaigns/pip/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card}\n"})
    assert [code for _, code, _ in told(run, "pip/campaign-001")] == ["suspended", "held"]


def test_of_several_campaigns_that_could_train_a_quest_the_one_with_the_least_in_its_way_is_told(
    run, commit
) -> None:
    """The quest is for any campaign of mu: the first is suspended, the second only waits to be chosen."""
    commit(
        {
            "queue.yaml": "quests:\n  - {id: q2, skill: bin, level: 2, count: 20, for: [mu]}\n",
            "campaigns/mu/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card}\n",
            "campaigns/mu/campaign-002.yaml": "id: campaign-002\n",
        }
    )
    assert told(run, "quest/q2") == [("quest/q2", "waits", "realm.yaml: active: mu/campaign-002")]


def test_without_an_active_campaign_a_quest_names_the_one_that_is_easiest_to_make_active(run, commit) -> None:
    commit(
        {
            "realm.yaml": "id: lab\n",
            "queue.yaml": "quests:\n  - {id: q2, skill: bin, level: 2, count: 20}\n",
            "campaigns/mu/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card}\n",
        }
    )
    assert told(run, "quest/q2") == [("quest/q2", "waits", "realm.yaml: active: pip/campaign-001")]


def test_what_only_points_to_the_trouble_of_a_hero_is_left_out(run, commit, hero_text: str) -> None:
    text = hero_text.replace("init: scratch, tokenizer: bytes", "hf_name: some/model")
    commit({"heroes/pip.yaml": text.replace(", config: {hidden_size: 16}", "")})
    assert [(subject, code) for subject, code, _ in told(run, "pip/campaign-001")] == [
        ("hero/pip", "model-missing")
    ]


NUM_CAMPAIGNS = 40
OF_HEROES = {
    f"campaigns/mu/campaign-{number:03}.yaml": f"id: campaign-{number:03}\n"
    for number in range(1, NUM_CAMPAIGNS)
}


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Which campaign was active in each world that was planned in thought."""
    found: list[str | None] = []
    make_plan = in_thought.make_plan

    def counted(desired, facts, **rest):
        found.append(desired.realm.spec.active)
        return make_plan(desired, facts, **rest)

    monkeypatch.setattr(in_thought, "make_plan", counted)
    return found


def test_what_is_the_quest_s_own_is_not_planned_for_each_campaign_that_could_train_it(
    run, commit, planned
) -> None:
    commit({**OF_HEROES, "queue.yaml": "quests: [{id: q, file: none.jsonl, for: [mu]}]\n"})
    assert told(run, "quest/q") == [
        (f"campaign/{MU}", "not-active", f"realm.yaml: active: {MU}"),
        ("quest/q", "quest-file", "mend the file, or say what its rows are"),
    ]
    assert planned == [MU]


def test_what_is_the_hero_s_is_not_planned_for_each_of_its_campaigns(
    run, commit, planned, hero_text: str
) -> None:
    text = hero_text.replace("id: pip", "id: mu").replace("init: scratch, tokenizer: bytes", "hf_name: a/b")
    commit(
        {
            **OF_HEROES,
            "heroes/mu.yaml": text.replace(", config: {hidden_size: 16}", ""),
            "queue.yaml": "quests: [{id: q, skill: bin, level: 1, count: 9, for: [mu]}]\n",
        }
    )
    assert [(subject, code) for subject, code, _ in told(run, "quest/q")] == [
        ("quest/q", "waits"),
        ("hero/mu", "model-missing"),
    ]
    assert planned == [MU]


def test_of_many_campaigns_that_have_something_of_their_own_in_the_way_only_some_are_planned(
    run, commit, planned
) -> None:
    refused = "id: {}\nconfig_overrides: {{optimizer: galore_adamw}}\n"
    texts = {name: refused.format(Path(name).stem) for name in OF_HEROES}
    commit({**texts, "queue.yaml": "quests: [{id: q, skill: bin, level: 1, count: 9, for: [mu]}]\n"})
    assert [(subject, code) for subject, code, _ in told(run, "quest/q")] == [
        ("quest/q", "waits"),
        (f"campaign/{MU}", "unsupported"),
    ]
    assert len(planned) == len(set(planned)) == 8


def test_a_campaign_with_less_in_its_way_is_found_behind_one_of_a_hero_that_cannot_be_trained(
    run, commit, planned, hero_text: str
) -> None:
    """Its hero's trouble is known before a plan is asked, so the other hero's campaign is asked first."""
    text = hero_text.replace("id: pip", "id: mu").replace("init: scratch, tokenizer: bytes", "hf_name: a/b")
    commit(
        {
            **OF_HEROES,
            "realm.yaml": "id: lab\n",
            "heroes/mu.yaml": text.replace(", config: {hidden_size: 16}", ""),
            "queue.yaml": "quests: [{id: q, skill: bin, level: 1, count: 9, for: [mu, pip]}]\n",
        }
    )
    assert told(run, "quest/q") == [("quest/q", "waits", "realm.yaml: active: pip/campaign-001")]
    assert planned == ["pip/campaign-001"]
