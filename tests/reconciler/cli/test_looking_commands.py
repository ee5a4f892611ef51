"""`status`, `get`, `history`, `logs`, `explain`, `doctor`, `schema`, `version`."""

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from state.contract.status import RunStatus
from state.ids import RunKey
from state.layout import Layout
from state.store.connection import open_writer
from state.store.rows import InboxRow
from state.store.tables import put_meta


def test_status_of_a_realm_that_was_never_applied(run, root: Path) -> None:
    text = run("status").stdout
    assert f"root {root} (not there yet; apply creates it)" in " ".join(text.split())
    assert "applied     nothing yet" in text
    assert "reconciler  none is running" in text
    assert "→ pip/campaign-001   step 0, goal 2,000 updates" in text
    assert "unknown: new, apply has not made it yet" in text


def test_a_run_whose_process_is_gone_is_never_shown_as_training(run, store, rows) -> None:
    store.write([rows.run(state="running", end=None, ended_at=None, pid=1)])
    folder = Layout(store.layout.root).campaign("pip/campaign-001").run(RunKey("", 1, 1)).folder
    folder.mkdir(parents=True)
    beat = RunStatus(
        phase="training", updated_at="2026-01-31T12:05:00Z", orders_sequence=1, step=70, quest_id="q1",
        quest_update=70, quest_updates=125, loss=0.5, tokens_per_second=6100.0, eta_seconds=48.0,
    )  # fmt: skip
    (folder / "status.json").write_bytes(msgspec.json.encode(beat))
    result = run("status")
    assert result.exit_code == 0, (result.stderr, result.exception)
    text = result.stdout
    assert "degraded: lost, its trainer is gone and left no word" in text
    assert "run         g1-a1 on cpu, lost, pid 1, heartbeat" in text
    assert "training" not in text.replace("its trainer", "")
    assert "tok/s" not in text


def test_a_held_campaign_is_never_green(run, store, rows) -> None:
    store.write(
        [rows.campaign(hold="pause", hold_by="ada@host", hold_why="too warm", hold_at="2026-01-31T13:00:00Z")]
    )
    report = json.loads(run("status", "--json").stdout)
    pip = next(one for one in report["campaigns"] if one["name"] == "pip/campaign-001")
    assert (pip["synced"]["state"], pip["healthy"]["state"]) == ("on hold", "on hold")
    assert pip["healthy"]["sentence"] == "paused by ada@host at 2026-01-31T13:00:00Z: too warm"


def test_what_nobody_edited_is_called_neither_edited_nor_applied(run, lab: Path, git) -> None:
    """A realm that was just begun has work left; only a later commit is an edit."""
    new = json.loads(run("status", "--json").stdout)["campaigns"]
    assert {(one["synced"]["state"], one["synced"]["reason"]) for one in new} == {("out of sync", "to-do")}
    assert new[-1]["synced"]["sentence"].startswith("apply would create campaign pip/campaign-001: new in")
    assert "applied     nothing yet\n" in run("status").stdout


def test_a_commit_that_is_begun_is_in_force_and_one_after_it_an_edit(run, resting, lab: Path, git) -> None:
    resting({}, ())
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(spec.read_text() + "state: archived\n")
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    git(lab, "commit", "-qam", "rest")
    pip = next(c for c in json.loads(run("status", "--json").stdout)["campaigns"] if "pip" in c["name"])
    assert (pip["synced"]["state"], pip["synced"]["reason"]) == ("out of sync", "edited")


def test_a_commit_of_which_work_is_left_is_said_to_be_in_force(run, store) -> None:
    with closing(open_writer(store.layout.store)) as connection:
        put_meta(connection, "attempted_commit", f"a56dc1a{'0' * 33}")
    assert "applied     a56dc1a is in force, not all of it is done yet\n" in run("status").stdout


def test_a_commit_that_one_tick_carried_out_has_nothing_left(run, resting, lab: Path, git) -> None:
    resting({}, ())
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(spec.read_text() + "description: other words\n")
    git(lab, "commit", "-qam", "other words")
    assert "✓ write " in run("apply", "--once").stdout
    assert " is in force, nothing of it is left to do" in " ".join(run("status").stdout.split())


def test_a_suspended_campaign_is_never_green(run, lab: Path, git) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(spec.read_text() + "suspend: {reason: waiting for the new card, until: 2090-12-01}\n")
    git(lab, "commit", "-qam", "suspend")
    report = json.loads(run("status", "--json").stdout)
    pip = next(one for one in report["campaigns"] if one["name"] == "pip/campaign-001")
    assert (pip["synced"]["state"], pip["healthy"]["state"]) == ("suspended", "suspended")
    assert "until 2090-12-01: waiting for the new card" in pip["healthy"]["sentence"]


def test_status_counts_the_queue_and_the_checkpoints(run, store, rows) -> None:
    store.write([rows.job(), rows.job(uid="job2", id="j2", quest_id="old", status="skipped")])
    report = json.loads(run("status", "--json").stdout)
    assert report["queue"] == {"completed": 1, "waits": 1}
    assert report["num_waiting"] == 1
    assert report["device"] == "cpu" or report["device"].startswith("cuda:")


def test_history_lists_each_launch_with_commit_config_code_steps_and_end(run, store, rows) -> None:
    store.write([rows.run(), rows.run(attempt=2, resume_step=125, final_step=None, end=None, state="running",
                                      launched_at="2026-01-31T13:00:00Z")])  # fmt: skip
    config = rows.run().config_hash.removeprefix("sha256:")[:8]
    assert run("history", "--wide").stdout.splitlines() == [
        "LAUNCHED (UTC)    CAMPAIGN          RUN    SPECS    CONFIG    CODE             STEPS  END",
        f"2026-01-31 12:00  pip/campaign-001  g1-a1  4f1c2d9  {config}  a1b2c3d+dirty  0 → 125  finished",
        f"2026-01-31 13:00  pip/campaign-001  g1-a2  4f1c2d9  {config}  a1b2c3d+dirty  125 → …  running",
        "2 launches",
    ]
    launches = json.loads(run("history", "--json").stdout)["launches"]
    assert [(one["from_step"], one["to_step"], one["end"]) for one in launches] == [
        (0, 125, "finished"),
        (125, None, None),
    ]


def test_status_says_how_often_estimates_held(run, store, rows) -> None:
    expected = {"expected_seconds": 20.0, "expected_low_seconds": 15.0, "expected_high_seconds": 25.0}
    assert "estimates" not in run("status").stdout
    store.write([rows.run(attempt=n, busy_seconds=took, **expected) for n, took in ((1, 20.0), (2, 30.0))])
    said = " ".join(run("status").stdout.split())
    assert "estimates 1 of 2 runs ended between the bounds expected at launch (4 of 5 should)" in said


def test_history_before_the_first_apply_exits_5(run, root: Path) -> None:
    result = run("history")
    assert result.exit_code == 5
    assert (
        f"nothing has been applied yet: there is no realm at {root}; reconcile apply makes it"
        in result.stderr
    )


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("campaigns", "→  pip/campaign-001  active     0  2,000 updates"),
        ("heroes", "pip   adamw"),
        ("quests", "q1     normal         1  completed  pip"),
        ("jobs", "q1     pip/campaign-001    10       1  1 → 125  0.412  completed"),
        ("checkpoints", "pip/campaign-001@125  2026-01-31 12:10  0.410"),
        ("runs", "pip/campaign-001/g1-a1  2026-01-31 12:00  cpu     0 → 125"),
        ("skills", "bin        30       2  python -m trainer generate bin"),
    ],
)
def test_get_lists_each_kind(run, store, rows, kind: str, line: str) -> None:
    store.write([rows.run(), rows.job(), rows.ledger()])
    result = run("get", kind, "--wide")
    assert result.exit_code == 0
    assert line in result.stdout
    assert json.loads(run("get", kind, "--json").stdout)["kind"] == kind


def test_jobs_that_wait_are_listed_as_they_are_trained_behind_those_that_are_over(run, store, rows) -> None:
    waiting = {"status": "queued", "start_step": None, "final_step": None, "final_loss": None}
    numbers = {"zz": 1, "b": 2, "aa": 3}
    store.write(
        InboxRow(
            quest_id=name, name=f"{name}.jsonl", source_key=name, digest=name, num_rows=1, size_bytes=1,
            shape_json="{}", taken_at="2026-01-31T12:00:00Z", number=number,
        )
        for name, number in numbers.items()
    )  # fmt: skip
    made = [
        rows.job(uid=name, id=f"2026-01-31T12:00:00_{name}", quest_id=name, **waiting) for name in numbers
    ]
    urgent = rows.job(uid="u", id="2026-01-31T13:00:00_u", quest_id="u", **(waiting | {"priority": "high"}))
    store.write([*made, urgent, rows.job()])

    listed = json.loads(run("get", "jobs", "--json").stdout)["items"]

    assert [item["quest"] for item in listed] == ["q1", "u", "zz", "b", "aa"]


def test_get_of_one_thing_that_is_not_there_exits_5_and_names_the_nearest(run) -> None:
    assert run("get", "hero", "pip").exit_code == 0
    result = run("get", "heroes", "pipp")
    assert (result.exit_code, 'did you mean "pip"?' in result.stderr) == (5, True)


def test_a_checkpoint_that_the_ledger_knows_and_that_is_gone_is_missing(run, store, rows) -> None:
    store.write([rows.ledger()])
    assert "missing: the ledger knows it" in " ".join(run("get", "checkpoints").stdout.split())


def test_logs_show_the_newest_run_without_its_control_characters(run, store) -> None:
    log = store.layout.campaign("pip/campaign-001").training_log
    log.parent.mkdir(parents=True)
    log.write_bytes(b"first\n\x1b[2Jsecond \xff\nthird\n")
    assert run("logs").stdout == "first\n\\x1b[2Jsecond \ufffd\nthird\n"
    assert run("logs", "-n", "1").stdout == "third\n"
    assert run("logs", "-n", "0").stdout == ""


def test_logs_of_a_campaign_that_never_ran_exit_5(run, store) -> None:
    result = run("logs")
    assert (result.exit_code, "has no log yet: it has not been launched" in result.stderr) == (5, True)
    result = run("logs", "pip/campaign-002")
    assert 'there is no campaign "pip/campaign-002"; known: pip/campaign-001; did you mean' in result.stderr


def test_doctor_is_content_with_a_fresh_realm(run) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert "ok    specs" in result.stdout
    assert "is not there yet; apply creates it" in " ".join(result.stdout.split())


def test_doctor_says_what_failed_and_how_to_mend_it(run, lab: Path, root: Path) -> None:
    root.mkdir()
    (root / "realm.db").write_bytes(b"this is no database, whatever its name says" * 40)
    result = run("doctor")
    assert result.exit_code == 1
    checks = {check["name"]: check for check in json.loads(run("doctor", "--json").stdout)["checks"]}
    assert checks["store"]["state"] == "fail"
    assert checks["store"]["mend"] == "reconcile doctor --rebuild makes it again from the files beside it"
    inside = run("doctor", "--root", str(lab / "root"))
    assert "lies in the git work tree" in " ".join(inside.stdout.split())


def test_schema_prints_one_kind_or_all(run) -> None:
    assert json.loads(run("schema", "hero").stdout)["title"] == "hero: specs/heroes/<id>.yaml"
    assert set(json.loads(run("schema").stdout)) == {
        "realm",
        "queue",
        "hosts",
        "hero",
        "campaign",
        "retention",
        "skill",
        "dataset",
        "plan",
        "saved-plan",
    }
    result = run("schema", "heroo")
    assert (result.exit_code, 'did you mean "hero"?' in result.stderr) == (5, True)


def test_version_says_which_code_this_is(run) -> None:
    found = json.loads(run("version", "--json").stdout)
    assert found["python"].startswith("3.")
    assert found["sqlite"] >= "3.51"
    assert found["code_version"]
    assert "sqlite" in run("version").stdout


@pytest.mark.parametrize(
    ("checkpoint", "code", "said"),
    [
        ("pip/campaign-001@latest", 5, "campaign pip/campaign-001 has no complete checkpoint yet"),
        ("pip/campaign-009@latest", 5, 'there is no campaign "pip/campaign-009"; known: pip/campaign-001'),
        ("pip/campaign-001@best", 64, "is no checkpoint; expected <hero>/<campaign>@latest or @<step>"),
    ],
)
def test_try_names_what_it_cannot_find(
    run, store, monkeypatch, checkpoint: str, code: int, said: str
) -> None:
    from reconciler.app.asking import answers

    monkeypatch.setattr(answers, "NEEDED", ("json",))
    result = run("try", checkpoint, "what is 1 + 1?")
    assert (result.exit_code, said in result.stderr) == (code, True)


def test_try_without_the_trainers_libraries_says_how_to_get_them(run, store, monkeypatch) -> None:
    from reconciler.app.asking import answers

    monkeypatch.setattr(answers, "NEEDED", ("a_library_that_nobody_has",))
    result = run("try", "pip/campaign-001@latest", "what is 1 + 1?")
    assert result.exit_code == 1
    assert "a_library_that_nobody_has not installed here, so no model can answer" in result.stderr
    assert "pip install 'realm-reconciler[train]'" in result.stderr
