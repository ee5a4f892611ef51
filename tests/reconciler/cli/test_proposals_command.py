"""`proposals`: each branch ahead of the followed one, with its plan and what is against it; nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app.surroundings.place import Following, write_following
from state.layout import Layout

REALM = "specs/realm.yaml"
Branch = Callable[[str, dict[str, str]], None]


@pytest.fixture
def branch(lab: Path, git) -> Branch:
    """Make a branch off main with one commit of these files."""

    def make(name: str, texts: dict[str, str]) -> None:
        git(lab, "switch", "-qc", name)
        for path, text in texts.items():
            (lab / path).write_text(text)
        git(lab, "add", "-A")
        git(lab, "commit", "-qm", f"Work of {name}", "--allow-empty")
        git(lab, "switch", "-q", "main")

    return make


def items(run) -> dict[str, dict]:
    return {item["branch"]: item for item in json.loads(run("proposals", "--json").stdout)["items"]}


def test_without_a_branch_ahead_it_says_so(run, lab: Path, git) -> None:
    git(lab, "branch", "merged")
    assert (
        run("proposals").stdout
        == f"No branch is ahead of main@{git(lab, 'rev-parse', '--short=7', 'HEAD')}.\n"
    )


def test_each_branch_has_its_state_and_the_plan_that_it_adds(run, lab: Path, branch: Branch) -> None:
    branch("switch", {REALM: "id: lab\nactive: mu/campaign-001\n"})
    branch("words", {"README.md": "words"})
    branch("typo", {REALM: "id: lab\naktive: mu/campaign-001\n"})
    branch("blocked", {"specs/queue.yaml": "quests:\n  - {id: q, file: no/such.jsonl}\n"})
    found = items(run)
    assert {name: item["state"] for name, item in found.items()} == {
        "switch": "ready",
        "words": "nothing to do",
        "typo": "mistakes",
        "blocked": "blocked",
    }
    assert found["typo"]["plan"] is None
    assert found["switch"]["plan"]["counts"] == {"activate": 1, "generate": 1, "enqueue": 1, "launch": 1}
    assert (found["switch"]["subject"], found["switch"]["ahead"], found["switch"]["behind"]) == (
        "Work of switch", 1, 0,
    )  # fmt: skip


def test_edits_of_the_same_lines_on_both_sides_are_a_conflict_and_of_others_none(
    run, lab: Path, git, branch: Branch
) -> None:
    long = "id: lab\nactive: pip/campaign-001\n\n# a\n# b\n# c\nlabels: {team: red}\n"
    (lab / REALM).write_text(long)
    git(lab, "commit", "-qam", "Longer")
    branch("same", {REALM: long.replace("red", "green")})
    branch("other", {REALM: long.replace("pip", "mu")})
    (lab / REALM).write_text(long.replace("red", "blue"))
    git(lab, "commit", "-qam", "Blue")
    found = items(run)
    assert found["same"]["state"] == "conflicts"
    assert found["same"]["reason"] == f"both sides edited the same lines: {REALM}"
    assert (found["other"]["state"], found["other"]["behind"]) == ("ready", 1)


def test_the_base_is_what_apply_follows_whatever_is_checked_out(
    run, lab: Path, git, root: Path, branch: Branch
) -> None:
    branch("switch", {REALM: "id: lab\nactive: mu/campaign-001\n"})
    write_following(Layout(root), Following(repository=str(lab), branch="main"))
    git(lab, "switch", "-q", "switch")
    assert list(items(run)) == ["switch"]


def test_a_branch_of_a_remote_counts_and_one_that_is_here_too_is_listed_once(
    run, lab: Path, git, tmp_path: Path, branch: Branch
) -> None:
    branch("here", {REALM: "id: lab\nactive: mu/campaign-001\n"})
    git(tmp_path, "clone", "-q", "--bare", str(lab), "there.git")
    git(lab, "remote", "add", "origin", str(tmp_path / "there.git"))
    branch("far", {"README.md": "far"})
    git(lab, "push", "-q", "origin", "far")
    git(lab, "fetch", "-q", "origin")
    git(lab, "branch", "-qD", "far")
    assert sorted(items(run)) == ["here", "origin/far"]


def test_the_text_names_the_state_the_counts_and_the_next_step(run, branch: Branch) -> None:
    branch("switch", {REALM: "id: lab\nactive: mu/campaign-001\n"})
    shown = run("proposals").stdout
    assert shown.startswith("switch   ")
    assert "\n  ready\n  Plan: 1 to activate, 1 to generate, 1 to enqueue, 1 to launch, 1 waiting,\n" in shown
    assert shown.endswith("See one whole:  reconcile plan main..switch\n")


def test_nothing_of_repository_or_root_changes(run, lab: Path, root: Path, branch: Branch) -> None:
    branch("switch", {REALM: "id: lab\nactive: mu/campaign-001\n"})
    before = {path: path.read_bytes() for path in lab.rglob("*") if path.is_file()}
    assert run("proposals").exit_code == 0
    assert {path: path.read_bytes() for path in lab.rglob("*") if path.is_file()} == before
    assert not root.exists()
