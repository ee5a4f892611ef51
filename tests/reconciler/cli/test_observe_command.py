"""`observe --out` and `plan --facts`: the same plan elsewhere, and nothing else from a file that lies."""

import json
import os
from pathlib import Path

import pytest

REALM = "specs/realm.yaml"


@pytest.fixture
def snapshot(run, lab: Path, store, rows, tmp_path: Path) -> Path:
    """What is seen of a realm that has trained."""
    store.write([rows.run(), rows.job(status="completed")])
    file = tmp_path / "facts.json"
    assert run("observe", "--out", str(file)).exit_code == 0
    return file


def changes(result) -> list[tuple[str, str]]:
    assert result.exit_code == 0, result.stderr
    return [(change["id"], change["reason"]) for change in json.loads(result.stdout)["changes"]]


def test_the_plan_against_a_snapshot_is_the_plan_of_that_moment_wherever_it_is_made(
    run, snapshot: Path, tmp_path: Path
) -> None:
    here = run("plan", "--json")
    there = run("--root", str(tmp_path / "no-root"), "plan", "--json", "--facts", str(snapshot))
    assert changes(there) == changes(here)
    document = json.loads(there.stdout)
    assert document["seen_at"] == json.loads(snapshot.read_text())["seen_at"]
    assert document["reconciler"] is None
    assert "what came after is not in it" in document["warnings"][0]


def test_a_branch_and_a_range_are_planned_against_it(run, lab: Path, git, snapshot: Path) -> None:
    git(lab, "switch", "-qc", "side")
    (lab / REALM).write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "Switch")
    git(lab, "switch", "-q", "main")
    document = json.loads(run("plan", "main..side", "--json", "--facts", str(snapshot)).stdout)
    assert ("activate", "campaign/mu/campaign-001") in [
        (c["verb"], c["subject"]) for c in document["changes"]
    ]
    text = run("plan", "side", "--facts", str(snapshot), "--format", "markdown").stdout
    assert "> **Warning:** planned against what was seen on " in text


def test_a_plan_against_an_old_snapshot_says_so_in_every_form(
    run, lab: Path, git, snapshot: Path, pass_time
) -> None:
    """The comment of a pull request and what a reviewer sees in a terminal: when, where, how long ago."""
    git(lab, "switch", "-qc", "side")
    (lab / REALM).write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "Switch")
    seen = json.loads(snapshot.read_text())
    pass_time(21 * 86_400 + 60)
    told = (
        f"planned against what was seen on {seen['machine']} at {seen['seen_at']}, 21 days before this plan"
    )
    for ref in ("HEAD", "main..HEAD", "main...HEAD"):
        text = run("plan", ref, "--facts", str(snapshot)).stdout
        head = f"seen {seen['seen_at'][:10]} {seen['seen_at'][11:16]} UTC on {seen['machine']}"
        assert head in text.split("\n\n")[0]
        assert f"Warning: {told}; what came after is not in it" in " ".join(text.split())
        comment = run("plan", ref, "--facts", str(snapshot), "--format", "markdown").stdout
        assert f"> **Warning:** {told}; what came after is not in it" in comment.split("<details>")[0]
        document = json.loads(run("plan", ref, "--facts", str(snapshot), "--json").stdout)
        assert (document["seen_on"], document["warnings"][0].partition(",")[0]) == (
            seen["machine"],
            told.partition(",")[0],
        )


def test_of_facts_in_a_file_nobody_is_sent_to_count_tokens_or_to_apply_where_nothing_of_the_realm_is(
    run, lab: Path, git, snapshot: Path
) -> None:
    specs = (lab / "specs/queue.yaml").read_text()
    (lab / "specs/queue.yaml").write_text(specs.replace("count: 10,", "count: 10, epochs: 3,"))
    git(lab, "commit", "-qam", "Two more times")
    machine = json.loads(snapshot.read_text())["machine"]
    here = " ".join(run("plan").stdout.split())
    assert "tokens not counted yet: apply counts them" in here
    assert "Do it: reconcile apply" in here
    there = " ".join(run("plan", "--facts", str(snapshot)).stdout.split())
    assert f"tokens not in the facts: a plan on {machine} has them once they are counted" in there
    assert f"Do it on {machine}: reconcile apply" in there
    assert "apply counts them" not in there


def test_what_nobody_looked_at_is_blocked_by_name_and_not_guessed(
    run, lab: Path, git, snapshot: Path
) -> None:
    (lab / "mine.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    (lab / "specs/queue.yaml").write_text("quests:\n  - {id: mine, file: mine.jsonl}\n")
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(
        "id: campaign-001\nconfig_overrides: {evaluation: {held_out: {file: held.jsonl}}}\n"
    )
    hero = (lab / "specs/heroes/mu.yaml").read_text().replace("id: mu", "id: nu\nname: nu")
    assert "hf_name" not in hero
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "New things")
    document = json.loads(run("plan", "--json", "--facts", str(snapshot)).stdout)
    blocked = {item["subject"]: item["message"] for item in document["blocked"]}
    assert blocked["quest/mine"] == "mine.jsonl was not looked at"
    assert "held.jsonl: was not looked at when the snapshot was made" in " ".join(blocked.values())


def test_a_snapshot_of_another_realm_is_refused(run, lab: Path, git, snapshot: Path) -> None:
    (lab / REALM).write_text("id: other\nactive: pip/campaign-001\n")
    git(lab, "commit", "-qam", "Another realm")
    result = run("plan", "--facts", str(snapshot))
    assert result.exit_code == 1
    assert "the snapshot is of realm lab; the specs at main@" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no snapshot of facts that this version can read"),
        ("[" * 100_000, "no snapshot of facts that this version can read"),
        ('{"schema_version": 1, "realm": "lab"}', "no snapshot of facts that this version can read"),
        ('{"schema_version": 2, "realm": "lab"}', "of version 2, this software knows 1; update it here"),
        ('{"schema_version": 0, "realm": "lab"}', "of version 0, this software knows 1; write it anew"),
        ('{"schema_version": NaN, "realm": "lab"}', "no snapshot of facts that this version can read"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_snapshot_is_said(run, tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "facts.json"
    if content is not None:
        file.write_text(content)
    result = run("plan", "--facts", str(file))
    assert result.exit_code == 1
    assert message in result.stderr


def test_nothing_that_a_snapshot_names_is_opened(run, snapshot: Path, tmp_path: Path) -> None:
    told = json.loads(snapshot.read_text())
    told["root"] = str(tmp_path / "trap")
    told["facts"]["disk"]["root"] = str(tmp_path / "trap")
    snapshot.write_text(json.dumps(told))
    (tmp_path / "trap" / "control").mkdir(parents=True)
    os.mkfifo(tmp_path / "trap" / "control" / "reconciler.lock")  # whoever opens it waits for ever
    assert run("plan", "--facts", str(snapshot)).exit_code == 0


def test_it_goes_to_the_standard_output_and_over_an_older_one_whole(run, snapshot: Path) -> None:
    assert json.loads(run("observe", "--out", "-").stdout)["realm"] == "lab"
    snapshot.write_text("older")
    assert run("observe", "--out", str(snapshot)).exit_code == 0
    assert json.loads(snapshot.read_text())["schema_version"] == 1
    assert run("plan", "--facts", str(snapshot), "--worktree").exit_code == 64


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["seen_at"], "2126-01-01T00:00:00Z", "seen_at is 2126-01-01T00:00:00Z, more than a day after now"),
        (["seen_at"], "tomorrow", "seen_at is 'tomorrow'; expected a moment such as"),
        (["facts", "disk", "free_bytes"], -5, "facts.disk.free_bytes is -5; expected a number from 0 up"),
        (["facts", "store", "observed_seconds"], -1.0, "facts.store.observed_seconds is -1.0; expected"),
        (["facts", "store", "campaigns"], [], "campaign_uid is '"),
        (["facts", "store", "observed_at"], "soon", "facts.store.observed_at is 'soon'; expected a moment"),
        (["facts", "store", "observed_seconds"], float("nan"), "no snapshot of facts that this version can"),
        (["facts", "disk", "free_bytes"], "many", "no snapshot of facts that this version can read"),
    ],
)
def test_a_snapshot_that_says_what_cannot_be_is_refused_by_its_place(
    run, snapshot: Path, path: list[str], value: object, said: str
) -> None:
    document = json.loads(snapshot.read_text())
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    snapshot.write_text(json.dumps(document))

    result = run("plan", "--facts", str(snapshot))

    assert result.exit_code == 1, result.stdout
    assert said in result.stderr
    assert "write it anew: reconcile observe --out FILE" in result.stderr


@pytest.mark.parametrize(
    ("command", "module"),
    [(("plan", "--facts"), "snapshots"), (("apply",), "saved_plans")],
    ids=["facts", "plan"],
)
def test_a_file_that_never_ends_is_refused(
    run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], module: str
) -> None:
    monkeypatch.setattr(f"reconciler.app.planning.{module}.MAX_BYTES", 1 << 20)
    refused = run(*command, "/dev/zero")
    assert (refused.exit_code, "/dev/zero: more than 1 MiB; this is no " in refused.stderr) == (1, True)
