"""`propose`, `suspend`, `unsuspend`: single lines on a branch; pushed only where there is room, and read back."""

import json
from pathlib import Path

import pytest

REALM = "specs/realm.yaml"


def changed(git, lab: Path, commit: str = "HEAD") -> list[str]:
    """Return the added and removed lines of a commit."""
    lines = git(lab, "show", "--format=", "-U0", commit).splitlines()
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


@pytest.fixture
def origin(lab: Path, git, tmp_path: Path) -> Path:
    """A remote of the lab that has its main."""
    there = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", str(there))
    git(lab, "remote", "add", "origin", str(there))
    git(lab, "push", "-q", "origin", "main")
    return there


def test_an_edit_becomes_one_line_on_a_branch_named_after_it(run, lab: Path, git) -> None:
    before = git(lab, "rev-parse", "HEAD")
    result = run("propose", "realm", "active=mu/campaign-001", "--why", "its turn")
    assert result.exit_code == 0, result.stderr
    branch = "propose/realm-active-mu-campaign-001"
    assert changed(git, lab, branch) == ["-active: pip/campaign-001", "+active: mu/campaign-001"]
    assert (
        git(lab, "log", "-1", "--format=%B", branch) == "Propose active=mu/campaign-001 for realm\n\nits turn"
    )
    assert (git(lab, "rev-parse", "HEAD"), git(lab, "status", "--porcelain")) == (before, "")
    assert f"reconcile plan {branch}" in result.stderr


@pytest.mark.parametrize(
    ("thing", "edits", "expected"),
    [
        ("pip/campaign-001", ["goal.updates=500"], ["-goal: {updates: 2000}", "+goal: {updates: 500}"]),
        ("pip/campaign-001", ["config_overrides.clip=0.5"], ["+  clip: 0.5"]),
        ("campaign/mu/campaign-001", ["goal.updates=5"], ["+goal:", "+  updates: 5"]),
        ("mu/campaign-001", ["name=a: b"], ['+name: "a: b"']),
        ("skill/bin", ["max_level=12"], ["-max_level: 30", "+max_level: 12"]),
        (
            "pip/campaign-001",
            ["skills_focus=[]"],
            ["-skills_focus: [bin]", "+skills_focus: []"],
        ),
        (
            "quest/q2",
            ["for=[pip, mu/campaign-001]"],
            [
                "-  - {id: q2, skill: bin, level: 2, count: 20, for: [mu/campaign-001]}",
                "+  - {id: q2, skill: bin, level: 2, count: 20, for: [pip, mu/campaign-001]}",
            ],
        ),
        ("mu/campaign-001", ["name=#1 # of all"], ['+name: "#1 # of all"']),
        ("specs/realm.yaml", ["labels.team=red"], ["+labels:", "+  team: red"]),
        (
            "quest/q2",
            ["priority=high"],
            [
                "-  - {id: q2, skill: bin, level: 2, count: 20, for: [mu/campaign-001]}",
                "+  - {id: q2, skill: bin, level: 2, count: 20, for: [mu/campaign-001], priority: high}",
            ],
        ),
        (
            "pip/campaign-001",
            ["description=odd", "goal.updates=7"],
            ["-goal: {updates: 2000}", "+goal: {updates: 7}", "+description: odd"],
        ),
    ],
)
def test_every_kind_of_thing_is_edited_in_its_own_lines(
    run, lab: Path, git, thing: str, edits: list[str], expected: list[str]
) -> None:
    result = run("propose", thing, *edits, "--branch", "b")
    assert result.exit_code == 0, result.stderr
    assert changed(git, lab, "b") == expected


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["realm", "active"], 64, '"active" is no KEY=VALUE'),
        (["realm", "active="], 64, '"active=" is no KEY=VALUE'),
        (["realm", "active=pip/campaign-001"], 3, "stands there already; nothing to propose"),
        (["realm", "active=pip/campaign-009"], 1, '"pip/campaign-009" is not a campaign'),
        (["realm", "aktive=x"], 1, 'did you mean "active"'),
        (["realm", "id.deep=x"], 3, "write it by hand: the line `deep: x` under `id`"),
        (["quest/q9", "priority=high"], 5, "q9"),
        (["hero/pup", "family=x"], 5, "pip"),
        (["specs/realms.yaml", "id=x"], 5, 'did you mean "specs/realm.yaml"'),
        (["retention", "version=x"], 5, "specs/retention.yaml: there is no such spec"),
        (["realm", "name=x", "--push", "upstream"], 5, 'there is no remote "upstream"; remotes: none'),
        (["realm", "active=mu/campaign-001", "--branch", "main"], 3, "there is a branch main already"),
        (
            ["realm", "name=x", "--branch", "main/a/b"],
            3,
            "there is a branch main, beside which git has no main/a/b",
        ),
    ],
)
def test_what_cannot_be_proposed_is_said_and_makes_nothing(
    run, lab: Path, git, arguments: list[str], code: int, message: str
) -> None:
    before = git(lab, "for-each-ref")
    result = run("propose", *arguments)
    assert (result.exit_code, git(lab, "for-each-ref")) == (code, before), result.output
    assert message in result.stderr


def test_a_pushed_proposal_is_read_back(run, lab: Path, git, origin: Path) -> None:
    made = json.loads(
        run(
            "propose", "realm", "active=mu/campaign-001", "--branch", "b", "--push", "origin", "--json"
        ).stdout
    )
    assert made["pushed_to"] == "origin"
    assert git(origin, "rev-parse", "refs/heads/b") == made["commit"] == git(lab, "rev-parse", "b")


def test_a_branch_that_the_remote_has_is_not_touched_and_none_is_made_here(
    run, lab: Path, git, origin: Path
) -> None:
    git(lab, "push", "-q", "origin", "main:refs/heads/b")
    there = git(origin, "rev-parse", "b")
    result = run("propose", "realm", "active=mu/campaign-001", "--branch", "b", "--push", "origin")
    assert (result.exit_code, git(origin, "rev-parse", "b")) == (3, there)
    assert f"origin has a branch b already, at {there[:7]}; choose another: --branch NAME" in result.stderr
    assert git(lab, "branch", "--list", "b") == ""


@pytest.mark.parametrize("url", ["ext::sh -c touch% canary", "nowhere://x/y", "/not/there.git"])
def test_a_remote_that_cannot_be_reached_runs_nothing_and_makes_no_branch(
    run, lab: Path, git, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(lab, "remote", "add", "odd", url)
    monkeypatch.chdir(lab)
    result = run("propose", "realm", "active=mu/campaign-001", "--branch", "b", "--push", "odd")
    assert result.exit_code == 1
    assert "odd cannot be read:" in result.stderr
    assert git(lab, "branch", "--list", "b") == ""
    assert not (lab / "canary").exists()


def test_what_a_hook_that_refuses_on_the_other_side_says_is_told_with_what_to_do_next(
    run, lab: Path, git, origin: Path
) -> None:
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nprintf 'no thanks\\nask \\033[31mada\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    propose = ("propose", "realm", "version=v2", "--branch", "b", "--push", "origin")
    refused = run(*propose)
    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "reconcile: origin did not take b: [remote rejected] (pre-receive hook declined)",
        "  remote: no thanks",
        "  remote: ask  [31mada",
        "The commit is on the local branch b. Once origin would take it: git push origin b; "
        "to propose anew: git branch -D b",
    ]
    assert git(lab, "log", "--format=%s", "-1", "b") == "Propose version=v2 for realm"
    hook.unlink()
    git(lab, "branch", "-D", "b")
    assert run(*propose).exit_code == 0


def test_no_hook_of_the_own_repository_runs_at_a_push(run, lab: Path, git, origin: Path) -> None:
    hook = lab / ".git" / "hooks" / "pre-push"
    hook.write_text(f"#!/bin/sh\ntouch {lab}/canary\n")
    hook.chmod(0o755)
    assert run("propose", "realm", "version=v2", "--branch", "b", "--push", "origin").exit_code == 0
    assert not (lab / "canary").exists()


def test_suspend_needs_a_reason_and_status_says_it_until_it_is_lifted(run, lab: Path, git) -> None:
    before = (lab / REALM).read_text()
    assert "needs its reason: --why TEXT" in run("suspend", "realm").stderr
    result = run("suspend", "realm", "--why", "new: card", "--until", "2999-01-07T08:00:00Z")
    assert result.exit_code == 0, result.stderr
    (line,) = changed(git, lab)
    who = line.split('by: "')[1].split('"')[0]
    assert line == f'+suspend: {{reason: "new: card", by: "{who}", until: "2999-01-07T08:00:00Z"}}'
    assert "@" in who
    said = " ".join(run("status").stdout.split())
    assert f"new: card (by {who}), until 2999-01-07T08:00:00Z (specs/realm.yaml:3)" in said
    assert run("suspend", "realm", "--why", "again").exit_code == 3
    assert run("unsuspend", "realm").exit_code == 0
    assert (lab / REALM).read_text() == before
    assert "realm is not suspended: specs/realm.yaml has no suspend" in run("unsuspend", "realm").stderr


@pytest.mark.parametrize("until", ["tomorrow", "2999-01-07 08:00", "2999-13-01"])
def test_an_end_that_is_no_time_in_utc_is_refused_at_its_line(run, lab: Path, git, until: str) -> None:
    before = git(lab, "rev-parse", "HEAD")
    result = run("suspend", "queue", "--why", "x", "--until", until)
    assert (result.exit_code, git(lab, "rev-parse", "HEAD")) == (1, before)
    assert "specs/queue.yaml" in result.stderr


def test_a_quest_alone_cannot_be_suspended(run) -> None:
    result = run("suspend", "quest/q1", "--why", "x")
    assert result.exit_code == 64
    assert "a quest cannot be suspended by itself" in result.stderr


def test_an_end_that_is_over_already_suspends_nothing_and_is_refused(run, lab: Path, git) -> None:
    before = git(lab, "rev-parse", "HEAD")
    result = run("suspend", "realm", "--why", "new card", "--until", "2020-01-07")
    assert (result.exit_code, git(lab, "rev-parse", "HEAD")) == (64, before)
    assert "--until 2020-01-07 is over already (now it is " in result.stderr
