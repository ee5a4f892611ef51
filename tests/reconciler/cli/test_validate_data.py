"""`validate --data`: what is in the files of the quests, as the campaigns would train them."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from reconciler.app.checking.validate_data import QuestData, as_generated
from reconciler.plan.dropped import content_key
from state.contract.inspection import DataFinding, Inspection
from state.contract.orders import RowShape
from state.store.rows import InboxRow, QuestDataRow

Reconcile = Callable[..., Result]
MANY = [(f"how much is {n} and {n * 7}?", f"it is {n * 8}") for n in range(20)]


@pytest.fixture
def with_rows(lab: Path) -> Callable[..., Path]:
    """Let the queue be one file with these questions and answers."""

    def make(rows: list[tuple[str, str]], *more: str, quest: str = "") -> Path:
        said = [{"prompt": question, "completion": answer} for question, answer in rows]
        file = lab / "rows.jsonl"
        file.write_text("".join(f"{line}\n" for line in (*map(json.dumps, said), *more)))
        text = f"quests:\n  - {{id: sums, file: rows.jsonl{quest}}}\n"
        (lab / "specs/queue.yaml").write_text(text)
        realm = (lab / "specs/realm.yaml").read_text()
        if "defaults" not in realm:
            (lab / "specs/realm.yaml").write_text(f"{realm}defaults: {{evaluation: {{held_out: 0}}}}\n")
        return file

    return make


def flat(done: Result) -> str:
    """Return what was said, its lines joined."""
    return " ".join(done.stdout.split())


@pytest.mark.train
def test_rows_tokens_and_findings_of_each_quest_are_told(
    run: Reconcile, with_rows: Callable[..., Path]
) -> None:
    pytest.importorskip("tokenizers")
    file = with_rows([*MANY, ("x" * 300, "y"), MANY[0]])
    done = run("validate", "--data")
    assert done.exit_code == 1
    told = done.stdout.splitlines()
    start = told.index("quest/sums for pip/campaign-001   specs/queue.yaml:2")
    assert told[start + 1].strip() == str(file)
    assert told[start + 2].strip().startswith("22 rows, prompt/completion")
    assert "trained; longest " in told[start + 3]
    assert " of 256; 2 updates an epoch, batches " in flat(done)
    assert "% full error: length: row 21: 3" in flat(done)
    assert "tokens; expected at most 256 (max_length). Split the row" in flat(done)
    assert "warning: duplicate: row 22: the same as row 1;" in flat(done)
    assert max(map(len, told[start + 2 :])) <= 80
    assert "1 quest, 22 rows, 1 error, 1 warning at depth standard: rows and tokens;" in flat(done)


@pytest.mark.parametrize(
    ("sidecar", "told"),
    [
        ('{"generator_id": 5, "x":', "rows.jsonl.meta.json: not a record of where rows come from ("),
        ('{"generator_id": "g", "example_count": 7777}', "example_count says 7,777 rows, the file has 21;"),
        ('{"generator_id": "g", "example_count": 21}', None),
    ],
    ids=["torn", "of other rows", "right"],
)
def test_a_sidecar_that_is_no_evidence_is_told(
    run: Reconcile, with_rows: Callable[..., Path], sidecar: str, told: str | None
) -> None:
    file = with_rows([*MANY, MANY[0]])
    file.with_name(f"{file.name}.meta.json").write_text(sidecar)
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", "-C", str(file.parent), *who, "commit", "-qam", "rows"], check=True)
    for done in (run("validate", "--data"), run("explain", "quest/sums"), run("plan")):
        assert "sums" in done.stdout, done.stderr
        assert (told in flat(done)) if told else ("meta.json" not in done.stdout)


@pytest.mark.train
def test_good_data_is_looked_through_once(run: Reconcile, with_rows: Callable[..., Path]) -> None:
    pytest.importorskip("tokenizers")
    with_rows(MANY)
    first, second = run("validate", "--data"), run("validate", "--data")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "looking through " in first.stderr
    assert "looking through " not in second.stderr
    assert first.stdout == second.stdout


def test_a_quick_look_needs_no_tokenizer(run: Reconcile, with_rows: Callable[..., Path]) -> None:
    with_rows([*MANY, ("x" * 3000, "y"), ("caf\ufffd", "z")])
    done = run("validate", "--data", "--depth", "quick", "--json")
    assert done.exit_code == 0
    (quest,) = json.loads(done.stdout)["quests"]
    assert quest["inspection"]["tokens"] is None
    assert quest["inspection"]["counts"] == {"encoding": 1}


def test_a_file_that_is_not_there_is_an_error_with_the_line_of_the_quest(run: Reconcile, lab: Path) -> None:
    (lab / "specs/queue.yaml").write_text("quests:\n  - {id: sums, file: rows.jsonl}\n")
    done = run("validate", "--data")
    assert done.exit_code == 1
    assert "quest/sums for pip/campaign-001   specs/queue.yaml:2" in done.stdout
    assert "error: shape: there is no file " in flat(done)


def test_rows_that_the_gate_refuses_are_named(run: Reconcile, with_rows: Callable[..., Path]) -> None:
    with_rows(MANY, '{"prompt": "a"}', "{")
    done = run("validate", "--data", "--depth", "quick")
    assert done.exit_code == 1
    assert 'error: shape: row 21: there is no field "completion"' in flat(done)
    assert "error: shape: row 22: the row is torn in the middle" in flat(done)


def test_rows_beyond_the_first_ten_that_are_wrong_are_counted(
    run: Reconcile, with_rows: Callable[..., Path]
) -> None:
    with_rows(MANY, *['{"prompt": "a"}'] * 25)
    said = flat(run("validate", "--data", "--depth", "quick"))
    assert said.count("error: shape: ") == 1
    assert "also rows 22, 23, 24, 25, 26, 27, 28, 29, 30 shape: 15 more" in said
    assert ", 25 errors, 0 warnings" in said


def test_rows_that_are_left_out_are_named_each_with_its_reason(
    run: Reconcile, lab: Path, with_rows: Callable[..., Path]
) -> None:
    with_rows(MANY, *['{"prompt": "a"}'] * 12, "{", quest=", dataset: al2")
    (lab / "specs/datasets").mkdir(exist_ok=True)
    contract = "id: al2\nkind: prompt_completion\nmax_invalid_fraction: 0.5\n"
    (lab / "specs/datasets/al2.yaml").write_text(contract)
    said = flat(done := run("validate", "--data", "--depth", "quick"))
    assert done.exit_code == 0
    assert "20 rows, al2, 13 invalid left out" in said
    assert said.count("warning: left_out: row ") == 1
    assert 'row 21: there is no field "completion"' in said
    assert "also rows 22, 23, 24, 25, 26, 27, 28, 29, 30 left_out: 3 more" in said
    assert "0 errors, 13 warnings" in said
    assert "Every finding: reconcile validate --data --findings 13" in " ".join(done.stderr.split())
    said = flat(done := run("validate", "--data", "--depth", "quick", "--findings", "13"))
    assert "29, 30, 31, 32 warning: left_out: row 33: the row is torn in the middle" in said
    assert "Every finding" not in done.stderr


def test_all_rows_that_are_wrong_are_named_when_as_many_are_asked_for(
    run: Reconcile, with_rows: Callable[..., Path]
) -> None:
    with_rows(MANY, *['{"prompt": "a"}'] * 25)
    said = flat(run("validate", "--data", "--depth", "quick", "--findings", "25"))
    assert "also rows 22, 23, " in said
    assert "44, 45 1 quest" in said
    found = json.loads(run("validate", "--data", "--depth", "quick", "--findings", "25", "--json").stdout)
    (quest,) = found["quests"]
    assert [one["row"] for one in quest["inspection"]["findings"]] == list(range(21, 46))


def test_findings_are_those_of_data(run: Reconcile) -> None:
    done = run("validate", "--findings", "5")
    assert done.exit_code == 64
    assert "it goes with --data" in done.stderr


def test_a_dataset_that_does_not_fit_the_rows_is_named_with_its_line(
    run: Reconcile, lab: Path, with_rows: Callable[..., Path]
) -> None:
    with_rows(MANY, quest=", dataset: al2")
    (lab / "specs/datasets").mkdir(exist_ok=True)
    (lab / "specs/datasets/al2.yaml").write_text(
        "id: al2\nkind: fields\nfields: {prompt: frage, completion: completion}\n"
    )
    said = flat(run("validate", "--data", "--depth", "quick"))
    assert "its rows are to be those of dataset al2 (specs/datasets/al2.yaml:3)" in said
    assert 'error: shape: row 1: there is no field "frage"; expected "frage", "completion"' in said
    assert 'Found the keys "prompt", "completion", which are those of kind: prompt_completion.' in said
    assert "mend the file, or dataset al2 (specs/datasets/al2.yaml:3)" in flat(run("plan", "--worktree"))


def test_rows_of_the_held_out_file_are_named(
    run: Reconcile, lab: Path, with_rows: Callable[..., Path]
) -> None:
    with_rows(MANY)
    (lab / "test.jsonl").write_text(json.dumps({"prompt": MANY[3][0], "completion": "?"}) + "\n")
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(
        "id: campaign-001\nconfig_overrides:\n  evaluation:\n    held_out:\n"
        "      {file: test.jsonl, fields: {prompt: prompt, completion: completion}}\n"
    )
    done = run("validate", "--data", "--depth", "quick")
    assert done.exit_code == 1
    assert "error: leakage: row 4: it asks the same as row 1 of the held-out file test.jsonl;" in flat(done)
    assert "or allow it by name: allow_leakage: {held-out: <why>}." in flat(done)

    with_rows(MANY, quest=', allow_leakage: {held-out: "it is to be learnt by heart"}')
    done = run("validate", "--data", "--depth", "quick")
    assert done.exit_code == 0
    assert "The specs allow it (allow_leakage: held-out)" in flat(done)


@pytest.mark.train
def test_what_lies_in_the_inbox_is_looked_through_and_stays_there_when_it_cannot_be_trained(
    run: Reconcile, lab: Path, root: Path
) -> None:
    pytest.importorskip("tokenizers")
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    dropped = root / "inbox" / "sums.jsonl"
    dropped.parent.mkdir(parents=True)
    dropped.write_text(json.dumps({"prompt": "x" * 300, "completion": "y"}) + "\n")
    os.utime(dropped, (1_700_000_000, 1_700_000_000))
    for done in (run("validate", "--data"), run("validate", "--data")):
        assert done.exit_code == 1
        assert "inbox/sums.jsonl" in flat(done)
        assert "error: length: row 1: 322 tokens; expected at most 256 (max_length)." in flat(done)
    plan = json.loads(run("plan", "--worktree", "--json").stdout)
    refused = [item["message"] for item in plan["blocked"] if item["code"] == "inbox-refused"]
    assert [text.startswith("row 1: 322 tokens") for text in refused] == [True]
    assert not {"take in", "enqueue"} & plan["counts"].keys()


@pytest.mark.train
def test_of_a_file_of_the_inbox_that_grew_only_the_new_rows_are_looked_through_and_planned(
    run: Reconcile, lab: Path, store: Any, git: Any
) -> None:
    pytest.importorskip("tokenizers")
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "only the inbox")
    old, new = (
        "".join(f"{json.dumps({'prompt': a, 'completion': 'y'})}\n" for a in names)
        for names in ("abcd", "ef")
    )
    digest = "sha256:" + hashlib.sha256(old.encode()).hexdigest()
    store.write([
        InboxRow(quest_id="sums-old", name="sums.jsonl", source_key="k", digest=digest, num_rows=4,
                 size_bytes=len(old), shape_json="{}", taken_at="2026-01-31T12:00:00Z"),
    ])  # fmt: skip
    dropped = store.layout.inbox / "sums.jsonl"
    dropped.parent.mkdir(parents=True, exist_ok=True)
    dropped.write_text(old + new)
    os.utime(dropped, (1_700_000_000, 1_700_000_000))

    said = run("validate", "--data")
    queue = json.loads(run("plan", "--json").stdout)["queue"]

    assert said.exit_code == 0, said.stdout + said.stderr
    assert "2 rows, prompt/completion 46 tokens, 9% trained; longest 23 of 256" in flat(said)
    assert [(one["rows"], one["tokens"]["num_tokens"]) for one in queue["quests"]] == [(2, 46)]


@pytest.mark.train
def test_of_a_quest_file_that_grew_only_the_new_rows_are_looked_through_and_planned(
    run: Reconcile, lab: Path, store: Any, rows: Any, git: Any, with_rows: Callable[..., Path]
) -> None:
    pytest.importorskip("tokenizers")
    file = with_rows([(letter, "y") for letter in "abcd"])
    old = file.read_bytes()
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "rows")
    assert "4 rows, prompt/completion" in flat(run("validate", "--data"))
    digest = "sha256:" + hashlib.sha256(old).hexdigest()
    key = content_key(digest, RowShape(kind="fields", prompt="prompt", completion="completion"))
    store.write([
        rows.job(quest_id="sums", digest=digest, source_key=key, num_examples=4),
        QuestDataRow(source_key=key, digest=digest, num_rows=4, size_bytes=len(old), origin=str(file),
                     created_at="2026-01-31T12:00:00Z"),
    ])  # fmt: skip
    with_rows([(letter, "y") for letter in "abcdef"])

    before = json.loads(run("plan", "--json").stdout)["queue"]["quests"]
    said = flat(run("validate", "--data"))
    after = json.loads(run("plan", "--json").stdout)["queue"]["quests"]

    assert "2 rows, prompt/completion 46 tokens, 9% trained" in said
    assert "these rows came since the file was taken in" in said
    assert [(one["rows"], one["tokens"]) for one in before] == [(2, None)]
    assert [(one["rows"], one["tokens"]["num_tokens"]) for one in after] == [(2, 46)]


def test_what_is_not_made_yet_is_said(run: Reconcile) -> None:
    done = run("validate", "--data")
    assert done.exit_code == 0
    assert "quest/q1 for pip/campaign-001" in flat(done)
    assert "quest/q2 for mu/campaign-001" in flat(done)
    assert "its rows are not there yet; apply brings them" in flat(done)
    assert "2 quests, 0 rows, 0 errors, 0 warnings at depth standard: rows and tokens;" in flat(done)


@pytest.mark.train
def test_without_a_campaign_tokens_are_unknown(
    run: Reconcile, lab: Path, with_rows: Callable[..., Path]
) -> None:
    with_rows(MANY)
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    done = run("validate", "--data")
    assert done.exit_code == 0
    assert "tokens unknown: no campaign trains it now" in flat(done)


def test_mistakes_in_the_specs_come_first(run: Reconcile, lab: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactiv: pip/campaign-001\n")
    done = run("validate", "--data")
    assert done.exit_code == 1
    assert "activ" in flat(done)
    assert "quest/" not in flat(done)


def test_a_depth_goes_with_data(run: Reconcile) -> None:
    done = run("validate", "--depth", "deep")
    assert done.exit_code != 0
    assert "--depth says how deep to look through data; it goes with --data" in done.output


def test_problems_that_a_skill_is_examined_with_are_named_with_their_level(
    run: Reconcile, lab: Path, with_rows: Callable[..., Path]
) -> None:
    (lab / "specs/skills/bin.yaml").write_text(
        "id: bin\nmax_level: 2\nsource: {command: [python, -m, trainer, generate, bin]}\n"
        "evaluation: {samples_per_level: 3, seed: 5}\n"
    )
    made = subprocess.run(
        [sys.executable, "-m", "trainer", "generate", "bin", "--level", "2", "--count", "3", "--seed", "5"],
        capture_output=True,
        check=True,
    ).stdout
    asked = json.loads(made.splitlines()[1])["messages"][0]["content"]
    with_rows([*MANY, (asked, "I do not know")])
    done = run("validate", "--data", "--depth", "quick")
    assert done.exit_code == 1
    assert "error: leakage: row 21: it asks the same as row " in flat(done)
    assert "of the evaluation of skill bin, level 2; expected other rows than those that measure" in flat(
        done
    )


def test_a_source_that_makes_no_evaluation_problems_is_said(
    run: Reconcile, lab: Path, with_rows: Callable[..., Path]
) -> None:
    (lab / "specs/skills/bin.yaml").write_text(
        "id: bin\nmax_level: 2\nsource: {command: [/bin/false]}\nevaluation: {seed: 5}\n"
    )
    with_rows(MANY)
    done = run("validate", "--data", "--depth", "quick")
    assert done.exit_code == 0
    assert "skill/bin: its evaluation problems could not be looked for: `/bin/false --level 1" in flat(done)


@pytest.mark.train
def test_the_summary_counts_warnings_that_are_not_shown_too(
    run: Reconcile, with_rows: Callable[..., Path]
) -> None:
    with_rows([MANY[0]] * 31)
    done = run("validate", "--data", "--depth", "quick")
    assert "also rows 3, 4, 5, 6, 7, 8, 9, 10, 11 and 20 more" in flat(done)
    assert "1 quest, 31 rows, 0 errors, 30 warnings at depth quick: rows alone;" in flat(done)


def test_rows_that_are_generated_are_not_to_be_removed() -> None:
    finding = DataFinding(
        check="duplicate",
        is_error=False,
        row=2,
        found="the same as row 1",
        expected="other rows",
        advice="Remove it, or raise epochs to train all rows more often.",
    )
    seen = Inspection(depth="quick", contract="messages", digest=None, num_rows=2, findings=(finding,))
    data = as_generated(QuestData(quest="q", campaign=None, where="w", path=None, inspection=seen))
    assert [one.advice for one in data.all_findings] == [
        "The rows are generated: another level, seed or count gives others."
    ]
