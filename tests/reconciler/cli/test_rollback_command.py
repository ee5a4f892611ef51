"""`rollback`: a commit that takes an earlier one back, or none at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

REALM = "specs/realm.yaml"
Commit = Callable[..., str]


@pytest.fixture
def commit(lab: Path, git) -> Commit:
    """Write files (None: remove) and commit them; return the commit."""

    def make(message: str, **texts: str | None) -> str:
        for name, text in texts.items():
            path = lab / name.replace("__", "/").replace("_yaml", ".yaml").replace("campaign_", "campaign-")
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        git(lab, "add", "-A")
        git(lab, "commit", "-qm", message)
        return git(lab, "rev-parse", "HEAD")

    return make


def test_the_specs_are_as_before_and_the_reason_is_in_the_commit(run, lab: Path, git, commit: Commit) -> None:
    before = git(lab, "rev-parse", "HEAD:specs")
    switch = commit("Switch", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    result = run("rollback", "--why", "the loss went up")
    assert result.exit_code == 0, result.stderr
    assert git(lab, "rev-parse", "HEAD:specs") == before
    assert git(lab, "log", "-1", "--format=%B") == f"Roll back {switch[:7]}: Switch\n\nthe loss went up"
    assert git(lab, "rev-parse", "HEAD~1") == switch
    assert git(lab, "status", "--porcelain") == ""


def test_of_a_merge_all_that_it_brought_is_taken_back(run, lab: Path, git, commit: Commit) -> None:
    before = git(lab, "rev-parse", "HEAD:specs")
    git(lab, "switch", "-qc", "side")
    commit("One", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    commit("Two", specs__campaigns__mu__campaign_002_yaml="id: campaign-002\n")
    git(lab, "switch", "-q", "main")
    git(lab, "merge", "-q", "--no-ff", "-m", "Merge side", "side")
    assert run("rollback", "--why", "no").exit_code == 0
    assert git(lab, "rev-parse", "HEAD:specs") == before
    assert not (lab / "specs/campaigns/mu/campaign-002.yaml").exists()


def test_a_spec_that_the_commit_removed_comes_back(run, lab: Path, git, commit: Commit) -> None:
    commit("Two", specs__campaigns__mu__campaign_002_yaml="id: campaign-002\n")
    commit("Gone", specs__campaigns__mu__campaign_002_yaml=None)
    assert run("rollback", "--why", "it was needed").exit_code == 0
    assert (lab / "specs/campaigns/mu/campaign-002.yaml").read_text() == "id: campaign-002\n"
    assert git(lab, "status", "--porcelain") == ""


def test_later_edits_of_other_lines_stay(run, lab: Path, git, commit: Commit) -> None:
    old = "id: lab\nactive: pip/campaign-001\n\n# a\n# b\n# c\nlabels: {team: red}\n"
    commit("Longer", specs__realm_yaml=old)
    commit("Switch", specs__realm_yaml=old.replace("pip", "mu"))
    commit("Team", specs__realm_yaml=old.replace("pip", "mu").replace("red", "blue"))
    assert run("rollback", "HEAD~1", "--why", "no").exit_code == 0
    assert (lab / REALM).read_text() == old.replace("red", "blue")


def test_later_edits_of_the_same_lines_stand_against_it_and_nothing_changes(
    run, lab: Path, git, commit: Commit
) -> None:
    commit("Switch", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    head = commit("Comment", specs__realm_yaml="id: lab\nactive: mu/campaign-001   # her turn\n")
    result = run("rollback", "HEAD~1", "--why", "no")
    assert (result.exit_code, git(lab, "rev-parse", "HEAD"), git(lab, "status", "--porcelain")) == (
        3,
        head,
        "",
    )
    assert f"{REALM}: edited since in the same lines, so nothing was changed" in result.stderr


def test_what_would_leave_the_specs_with_a_mistake_is_not_committed(
    run, lab: Path, git, commit: Commit
) -> None:
    commit("Two", specs__campaigns__mu__campaign_002_yaml="id: campaign-002\n")
    head = commit("Switch", specs__realm_yaml="id: lab\nactive: mu/campaign-002\n")
    result = run("rollback", "HEAD~1", "--why", "no")
    assert (result.exit_code, git(lab, "rev-parse", "HEAD")) == (1, head)
    assert '"mu/campaign-002" is not a campaign' in result.stderr


def test_files_that_are_no_specs_stay_and_are_named(run, lab: Path, git, commit: Commit) -> None:
    (lab / "specs/notes.md").write_text("mine")
    commit("Both", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    result = run("rollback", "--why", "no")
    assert "Left as they are, being no specs: specs/notes.md" in result.stderr
    assert (lab / "specs/notes.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 64, "a rollback needs its reason: --why TEXT"),
        (["--why", " "], 64, "a rollback needs its reason: --why TEXT"),
        (["nope", "--why", "x"], 5, '"nope" is no branch or commit'),
        (["", "--why", "x"], 5, "'' is no name of a branch or commit"),
        (["HEAD", "--why", "x"], 3, "changed no spec; nothing to take back"),
        (["HEAD~1", "--why", "x"], 64, "is the first commit"),
        (["side", "--why", "x"], 64, "is no part of main@"),
    ],
)
def test_what_cannot_be_taken_back_is_said(
    run, lab: Path, git, commit: Commit, arguments: list[str], code: int, message: str
) -> None:
    git(lab, "switch", "-qc", "side")
    commit("Side", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    git(lab, "switch", "-q", "main")
    (lab / "notes.txt").write_text("mine")
    head = commit("Notes")
    result = run("rollback", *arguments)
    assert (result.exit_code, git(lab, "rev-parse", "HEAD")) == (code, head), result.output
    assert message in result.stderr


def test_twice_is_once(run, lab: Path, commit: Commit) -> None:
    commit("Switch", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    assert run("rollback", "--why", "no").exit_code == 0
    result = run("rollback", "HEAD~1", "--why", "no")
    assert result.exit_code == 3
    assert "is taken back already; nothing to commit" in result.stderr


def test_said_again_it_does_not_bring_back_what_it_took_back(run, lab: Path, git, commit: Commit) -> None:
    switch = commit("Switch", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    assert run("rollback", "--why", "no").exit_code == 0
    head = git(lab, "rev-parse", "HEAD")
    result = run("rollback", "--why", "no")
    assert (result.exit_code, git(lab, "rev-parse", "HEAD")) == (3, head)
    assert f"the newest commit ({head[:7]}) is the rollback of {switch[:7]}" in result.stderr
    assert f"reconcile rollback {head[:7]} --why TEXT" in result.stderr


def test_a_rollback_that_is_named_is_taken_back_and_what_that_brings_back_is_said(
    run, lab: Path, git, commit: Commit
) -> None:
    switch = commit("Switch", specs__realm_yaml="id: lab\nactive: mu/campaign-001\n")
    assert run("rollback", "--why", "no").exit_code == 0
    result = run("rollback", "HEAD", "--why", "it was good after all")
    assert result.exit_code == 0, result.stderr
    assert f"what {switch[:7]} did is in force again" in result.stderr
    assert git(lab, "rev-parse", "HEAD:specs") == git(lab, "rev-parse", f"{switch}:specs")
