"""`explain`: every kind of thing, by every name that it may be called, and what is in its way."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app.looking.things import KNOWN, named

Git = Callable[..., str]
CONTRACT = "id: sums\nkind: question_answer\noptional_fields: [note]\nsafety_profile: internal\n"
ROW = '{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}\n'
RULES = "campaigns: {active: {keep_checkpoints: 1}}\n"


def test_explain_names_what_is_in_the_way_and_the_cheapest_way_out(run) -> None:
    text = run("explain", "quest/q2").stdout
    assert text.startswith("quest/q2   specs/queue.yaml:3\n")
    assert "In the way:\n  … quest/q2: waits until mu/campaign-001 is active\n" in text
    assert "    waits, specs/queue.yaml:3\n    → " in text


def test_explain_of_an_inactive_campaign_says_why_it_does_not_train(run) -> None:
    text = " ".join(run("explain", "mu/campaign-001").stdout.split())
    assert "it does not train: realm.yaml names pip/campaign-001" in text
    assert "→ realm.yaml: active: mu/campaign-001" in text


def test_explain_shows_what_apply_would_do(run) -> None:
    text = run("explain", "campaign/pip/campaign-001").stdout
    assert "Apply would:\n  + create" in text
    assert "+ launch" in text
    assert "mu/campaign-001" not in text


def test_explain_origin_gives_each_setting_its_line_and_what_it_hides(run) -> None:
    text = run("explain", "pip/campaign-001", "--origin", "--wide").stdout
    lines = {words[0]: " ".join(words[1:]) for words in map(str.split, text.splitlines())}
    assert lines["learning_rate"] == "0.0015 specs/campaigns/pip/campaign-001.yaml:6 (hero says 0.002)"
    assert lines["max_length"] == "256 specs/heroes/pip.yaml:6"
    assert lines["clip"] == "1.0 built in"
    assert lines["model.config.hidden_size"].startswith("16 specs/heroes/pip.yaml:")


def test_explain_origin_has_every_setting_that_diff_counts(run) -> None:
    settings = json.loads(run("explain", "pip/campaign-001", "--origin", "--json").stdout)["settings"]
    counted = json.loads(run("diff", "pip/campaign-001", "mu/campaign-001", "--json").stdout)
    assert len(settings) == counted["num_equal"] + len(counted["config"])


def test_explain_origin_of_a_hero_names_the_campaign_whose_settings_they_are(run) -> None:
    assert run("explain", "pip", "--origin").stdout.startswith(
        "The settings of pip/campaign-001, for hero/pip:\n\n"
    )
    assert json.loads(run("explain", "hero/pip", "--origin", "--json").stdout)["settings_of"] == (
        "pip/campaign-001"
    )
    assert "The settings of" not in run("explain", "pip/campaign-001", "--origin").stdout


def test_explain_of_a_quest_says_how_its_rows_are_read(run, lab: Path) -> None:
    (lab / "rows.jsonl").write_text('{"question": "1?", "answer": "1"}\n')
    (lab / "plain.jsonl").write_text('{"prompt": "1?", "completion": "1"}\n')
    (lab / "specs/datasets").mkdir(exist_ok=True)
    (lab / "specs/datasets/sums.yaml").write_text("id: sums\nkind: question_answer\n")
    queue = lab / "specs/queue.yaml"
    queue.write_text(queue.read_text() + "  - {id: q8, file: rows.jsonl}\n  - {id: q9, file: plain.jsonl}\n")
    said = run("explain", "quest/q8", "--worktree").stdout
    assert "read as dataset sums: question → answer" in " ".join(said.split())
    assert "prompt/completion" in run("explain", "quest/q9", "--worktree").stdout


@pytest.mark.parametrize(
    ("thing", "code", "said"),
    [
        ("quest/q9", 5, 'there is no quest "q9"; known: q1, q2'),
        ("hero/pipp", 5, 'did you mean "pip"?'),
        ("pip/campaign-009", 5, 'there is no campaign "pip/campaign-009"'),
        ("campaign/pip", 64, "names no thing"),
    ],
)
def test_explain_of_nothing_says_what_there_is(run, thing: str, code: int, said: str) -> None:
    result = run("explain", thing)
    assert (result.exit_code, said in result.stderr) == (code, True)


def test_explain_of_a_campaign_without_a_spec_names_the_ways_out(run, lab: Path, git, store) -> None:
    said = "ways out bring specs/campaigns/pip/campaign-001.yaml back; or write it with state: deleted"
    assert said not in " ".join(run("explain", "pip/campaign-001").stdout.split())
    realm = lab / "specs/realm.yaml"
    realm.write_text(realm.read_text().replace("active: pip/campaign-001", "active: mu/campaign-001"))
    git(lab, "rm", "-q", "specs/campaigns/pip/campaign-001.yaml")
    git(lab, "commit", "-qam", "gone")
    assert said in " ".join(run("explain", "pip/campaign-001").stdout.split())


def test_explain_origin_of_a_quest_is_refused(run) -> None:
    assert (
        "--origin shows the settings of a campaign, not of a quest"
        in run("explain", "quest/q1", "--origin").stderr
    )


def test_explain_goes_by_the_files_as_they_are_where_asked(run, lab: Path) -> None:
    queue = lab / "specs/queue.yaml"
    queue.write_text(queue.read_text().replace("id: q2", "id: q3"))
    assert run("explain", "q3").exit_code == 64
    assert run("explain", "q3", "--worktree").stdout.startswith("quest/q3   ")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("campaign-001", "did you mean mu/campaign-001 or pip/campaign-001?"),
        ("binn", "did you mean skill/bin?"),
    ],
)
def test_explain_of_a_bare_word_names_the_things_that_it_may_mean(run, word: str, meant: str) -> None:
    result = run("explain", word)
    assert (result.exit_code, meant in result.stderr) == (64, True), result.stderr


@pytest.fixture
def trained(store, rows):
    """A realm that remembers two runs, a job and two checkpoints of pip/campaign-001."""
    store.write([rows.run(), rows.run(attempt=2, message="the goal is reached", end="goal_reached")])
    store.write([rows.job(), rows.ledger(), rows.ledger(step=250, sequence=2, val_loss=0.32)])
    return store


@pytest.mark.parametrize(
    ("subject", "thing"),
    [
        ("queue", "queue"),
        ("root", "root"),
        ("pointer", "root"),
        ("approval", "realm"),
        ("quests/q1", "quest/q1"),
        ("q1", "quest/q1"),
        ("pip", "hero/pip"),
        ("legend/pip/campaign-001", "campaign/pip/campaign-001"),
        ("run/pip/campaign-001", "run/pip/campaign-001"),
        ("pip/campaign-001/g1-a2", "run/pip/campaign-001/g1-a2"),
        ("checkpoint/pip/campaign-001@125", "checkpoint/pip/campaign-001@125"),
        ("pip/campaign-001@250", "checkpoint/pip/campaign-001@250"),
        ("retention", "retention"),
        ("trash", "trash"),
    ],
)
def test_explain_takes_whatever_a_plan_says_that_it_is_about(run, trained, subject: str, thing: str) -> None:
    assert run("explain", subject).stdout.startswith(f"{thing}   ")


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (
            "pip/campaign-001@best",
            "campaign pip/campaign-001 has no complete checkpoint with a held-out loss",
        ),
        ("pip/campaign-009@7", 'there is no campaign "pip/campaign-009"; known: pip/campaign-001'),
        ("pip/campaign-001@7", 'there is no checkpoint "pip/campaign-001@7"; known: pip/campaign-001@125'),
        ("pip/campaign-001/g1-a9", 'there is no run "pip/campaign-001/g1-a9"'),
        ("run/mu/campaign-001", "campaign mu/campaign-001 has not been launched yet"),
        ("dataset/sum", 'there is no dataset "sum"; there is none yet'),
    ],
)
def test_explain_of_a_thing_that_was_never_there_exits_5(run, trained, thing: str, said: str) -> None:
    result = run("explain", thing)
    assert (result.exit_code, said in result.stderr) == (5, True), result.stderr


def facts(run, thing: str) -> dict[str, str]:
    return {
        fact["name"]: fact["text"] for fact in json.loads(run("explain", thing, "--json").stdout)["facts"]
    }


def test_explain_of_a_run_says_how_far_it_came_and_how_it_ended(run, trained) -> None:
    told = facts(run, "run/pip/campaign-001")
    assert (told["run"], told["end"]) == ("pip/campaign-001/g1-a2", "goal_reached")
    assert (told["to step"], told["said"]) == ("125", "the goal is reached")


def test_explain_of_a_checkpoint_says_what_was_measured_and_why_it_stays(
    run, trained, lab: Path, git: Git
) -> None:
    (lab / "specs/retention.yaml").write_text(RULES)
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "keep one")
    told = facts(run, "pip/campaign-001@250")
    assert (told["held-out loss"], told["loss"], told["size"]) == ("0.320", "0.410", "1 kB")
    assert told["state"] == "missing"
    assert "does not lie there whole as it was recorded" in told["kept"]


def test_explain_of_the_latest_checkpoint_says_which_one_that_is(run, resting) -> None:
    resting({}, (100, 200))
    assert run("explain", "pip/campaign-001@latest").stdout.startswith("checkpoint/pip/campaign-001@200   ")


def test_explain_of_the_queue_lists_the_quests_in_order_and_what_is_in_their_way(run, store) -> None:
    text = run("explain", "queue").stdout
    assert [line.split(maxsplit=1) for line in text.splitlines()[:4]] == [
        ["queue", "specs/queue.yaml"],
        ["q1", "new, for pip"],
        ["q2", "waits, for mu/campaign-001"],
        ["health", "0 jobs to do, below healthy_depth 5: add quests, or lower it"],
    ]
    assert "… quest/q2: waits until mu/campaign-001 is active" in text


def test_explain_of_a_completed_quest_says_what_was_learnt_by_whom_in_which_steps(run, store, rows) -> None:
    store.write([rows.job(finished_at="2026-01-31T12:10:00Z", final_val_loss=0.5)])
    assert facts(run, "quest/q1")["learnt"] == (
        "by pip/campaign-001: 10 rows less those held out, 1 epoch, steps 1 to 125, loss 0.412, held-out loss 0.500, "
        "finished 2026-01-31 12:10 UTC"
    )


def test_what_was_learnt_of_a_quest_that_grew_is_told_in_the_order_of_learning(run, store, rows) -> None:
    first = {"finished_at": "2026-01-31T12:10:00Z", "start_step": 1, "final_step": 9}
    later = {
        "uid": "0",
        "id": "0",
        "part": 2,
        "finished_at": "2026-02-01T12:10:00Z",
        "start_step": 10,
        "final_step": 12,
    }
    store.write([rows.job(**first), rows.job(**later)])
    told = [
        one["text"]
        for one in json.loads(run("explain", "quest/q1", "--json").stdout)["facts"]
        if one["name"] == "learnt"
    ]
    assert [text.partition("steps ")[2].partition(",")[0] for text in told] == ["1 to 9", "10 to 12"]


def test_explain_of_the_root_says_where_it_is_and_what_is_free(run, root: Path) -> None:
    told = facts(run, "root")
    assert (told["folder"], told["state"]) == (str(root), "not there yet; apply creates it")
    assert " of " in told["free"]


@pytest.fixture
def sums(lab: Path, git: Git) -> None:
    """A dataset, a quest that names it, and one whose rows fit it."""
    (lab / "specs/datasets").mkdir()
    (lab / "specs/datasets/sums.yaml").write_text(CONTRACT)
    (lab / "rows.jsonl").write_text('{"question": "1+1", "answer": "2"}\n')
    (lab / "specs/queue.yaml").write_text(
        "quests:\n  - {id: a, file: rows.jsonl, dataset: sums}\n  - {id: b, file: rows.jsonl}\n"
    )
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "sums")


def test_explain_of_a_dataset_says_what_rows_are_whose_they_are_and_what_nobody_checks(
    run, sums: None
) -> None:
    told = facts(run, "sums")
    assert (told["rows"], told["quests"]) == ("question → answer", "a, b")
    assert told["keys"] == "question, answer, note"
    assert told["not checked"].startswith("safety_profile has no effect")


def test_get_datasets_lists_them_with_their_quests(run, sums: None) -> None:
    table = [line.split() for line in run("get", "datasets").stdout.splitlines()]
    assert table[1][:6] == ["sums", "question", "→", "answer", "none", "a,"]
    assert json.loads(run("get", "dataset", "sums", "--json").stdout)["items"][0]["quests"] == ["a", "b"]


def test_explain_of_an_archived_campaign_does_not_propose_to_make_it_active(run, lab: Path, git: Git) -> None:
    spec = lab / "specs/campaigns/mu/campaign-001.yaml"
    spec.write_text("id: campaign-001\nstate: archived\n")
    git(lab, "commit", "-qam", "to rest")
    assert "not-active" not in run("explain", "mu/campaign-001").stdout


def test_explain_of_the_retention_says_what_is_kept_and_that_without_rules_all_is(
    run, lab: Path, resting
) -> None:
    resting({"specs/retention.yaml": f"{RULES}pins: [pip/campaign-001@100]\n"}, (100, 200))
    told = facts(run, "retention")
    assert told["pins"] == "pip/campaign-001@100"
    assert told["pip/campaign-001"].startswith("2 kept (")


def test_explain_of_rules_that_are_not_there_says_that_nothing_is_dropped(run) -> None:
    assert facts(run, "retention") == {"rules": "there are none: nothing is dropped"}


def test_explain_of_the_trash_says_what_it_holds_and_how_to_take_it_back(run, store, rows) -> None:
    assert facts(run, "trash") == {"holds": "nothing of ours"}
    store.write([rows.trash()])
    told = facts(run, "trash")
    assert told["holds"] == "1 checkpoint, 1 kB"
    assert told["to take back"] == "reconcile get trash, then reconcile undelete NAME"


def test_each_subject_of_every_case_of_a_plan_is_a_thing_that_explain_knows() -> None:
    cases = Path(__file__).parents[1].joinpath("plan/cases").glob("*.yaml")
    blocked = (re.findall(r'^  - "([^ "]+) [a-z-]+: .* \| .* \| ', case.read_text(), re.M) for case in cases)
    subjects = {subject for found in blocked for subject in found}
    assert {subject.partition("/")[0] for subject in subjects} >= {
        *("campaign", "quest", "checkpoint", "inbox", "hero", "queue", "root", "trash")
    }
    kinds = {subject: named(subject) for subject in subjects}
    assert [subject for subject, kind in kinds.items() if kind is None or kind[0] not in KNOWN] == []


def test_explain_of_what_is_held_in_the_trash_says_no_time_and_how_to_take_it_back(run, store, rows) -> None:
    store.write([rows.ledger(step=500), rows.trash()])
    (store.layout.root / "trash/checkpoint-500").mkdir(parents=True)
    told = facts(run, "pip/campaign-001@500")
    assert told["deleted for good"] == "not while nothing asks for it to go: no rule, or no spec"
    assert "deleted for good in" not in told
    assert told["to take back"] == "reconcile undelete pip/campaign-001@500"


def test_a_campaign_says_whose_checkpoints_lie_among_its_own(run, resting) -> None:
    folder = resting({}, [5])
    theirs = folder / "checkpoint-3"
    theirs.mkdir()
    (theirs / "config.json").write_text("{}")
    (theirs / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    lacks = "a folder of safetensors weights that is not whole: model.safetensors is a Git LFS pointer"
    for command in (("explain", "pip/campaign-001"), ("get", "checkpoints", "--wide"), ("plan",)):
        assert lacks in " ".join(run(*command).output.split()), command


def test_a_release_that_waits_for_the_warm_up_is_told_of_its_campaign_and_keeps_nothing_back(
    run, resting: Callable[..., Path]
) -> None:
    spec = "id: campaign-001\nreleases: [{at: 15, updates: 5}]\nconfig_overrides: {warmup_steps: 50}\n"
    resting({"specs/campaigns/pip/campaign-001.yaml": spec}, [10, 20])

    of_campaign = " ".join(run("explain", "campaign/pip/campaign-001").stdout.split())
    of_checkpoint = run("explain", "checkpoint/pip/campaign-001@20").stdout
    listed = json.loads(run("status", "--json").stdout)["campaigns"]

    waits = "the release at step 15 waits for the end of the warm-up, after 50 updates"
    assert (
        f"{waits} (specs/campaigns/pip/campaign-001.yaml:3); pip/campaign-001 stands at step 20"
        in of_campaign
    )
    assert "warm-up" not in of_checkpoint
    assert [one["synced"]["state"] for one in listed if one["name"] == "pip/campaign-001"] == ["synced"]
    assert "waiting for its turn" in " ".join(run("apply", "--until-converged").stdout.split())


def test_explain_of_a_campaign_says_what_its_spec_says_to_people(run, store, lab: Path, git) -> None:
    text = "id: campaign-001\nname: First light\nskills_focus: [bin]\nmilestones: [{step: 5}, {step: 9, note: half way}]\n"
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(text)
    (lab / "specs/retention.yaml").write_text("tags: {paper: [pip/campaign-001@5]}\n")
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "marks")
    told = facts(run, "pip/campaign-001")
    assert (told["called"], told["skills focus"]) == ("First light", "bin")
    assert told["milestones"] == "5, 9 (half way)"
    assert "begins with" not in told
    assert "rate falls" not in told
    assert facts(run, "retention")["tagged paper"] == "pip/campaign-001@5"


def test_explain_of_a_campaign_says_where_a_falling_rate_comes_to_rest(run, lab: Path, git) -> None:
    text = (
        "id: campaign-001\nconfig_overrides: {lr_scheduler: cosine, warmup_steps: 1, schedule_updates: 40}\n"
    )
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(text)
    git(lab, "commit", "-qam", "a rate that falls")
    assert facts(run, "pip/campaign-001")["rate falls"] == (
        "from update 40 on it stays at 0.0002, 0.1 of learning_rate (specs/campaigns/pip/campaign-001.yaml:2)"
    )


@pytest.mark.parametrize(
    ("rollbacks", "then"), [(1, "it goes back to the last"), (0, "it is stopped: the loss")]
)
def test_explain_of_a_diverged_campaign_says_whether_it_goes_back_or_is_stopped(
    run, store, rows, lab: Path, git, rollbacks: int, then: str
) -> None:
    guard = f"config_overrides: {{loss_guard: {{rollbacks: {rollbacks}}}}}\n"
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(f"id: campaign-001\n{guard}")
    git(lab, "commit", "-qam", "so many rollbacks")
    store.write(
        [rows.run(end="failed", failure_class="diverged", message="loss 9.1"), rows.job(), rows.ledger()]
    )
    assert facts(run, "pip/campaign-001")["then"].startswith(then)
