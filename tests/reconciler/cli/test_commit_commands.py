"""`archive`, `restore`, `start-over`: commits of single lines; nothing else of repository or realm changes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app.committing import commits

PIP = "specs/campaigns/pip/campaign-001.yaml"
MU = "specs/campaigns/mu/campaign-001.yaml"
POINTS = ("before its first file", "after a file", "after two files", "before the branch moves")


def changed(git, lab: Path, commit: str = "HEAD") -> list[str]:
    """Return the added and removed lines of a commit."""
    lines = git(lab, "show", "--format=", "-U0", commit).splitlines()
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_archive_commits_one_line_and_leaves_nothing_uncommitted(run, lab: Path, git) -> None:
    before = git(lab, "rev-parse", "HEAD")
    result = run("archive", "mu/campaign-001", "--why", "it has learnt enough")
    assert result.exit_code == 0
    assert f"Committed {git(lab, 'rev-parse', '--short=7', 'HEAD')} on main: Archive mu/campaign-001." in (
        result.stdout
    )
    assert changed(git, lab) == ["+state: archived"]
    assert git(lab, "rev-parse", "HEAD~1") == before
    assert git(lab, "log", "-1", "--format=%B") == "Archive mu/campaign-001\n\nit has learnt enough"
    assert git(lab, "status", "--porcelain") == ""
    assert (lab / MU).read_text() == "id: campaign-001\nstate: archived\n"


def test_what_else_is_staged_or_edited_is_not_committed_and_not_lost(run, lab: Path, git) -> None:
    (lab / "notes.txt").write_text("mine")
    git(lab, "add", "notes.txt")
    with (lab / PIP).open("a") as spec:
        spec.write("# an edit of mine\n")
    assert run("archive", "mu/campaign-001").exit_code == 0
    assert changed(git, lab) == ["+state: archived"]
    assert git(lab, "diff", "--cached", "--name-only") == "notes.txt"
    assert git(lab, "diff", "--name-only") == PIP


def test_what_a_kill_left_beside_a_spec_is_swept_by_the_next_commit_there(run, lab: Path, git) -> None:
    """Only files of the reserved name that git does not know; another folder waits for its own commit."""
    folder = (lab / MU).parent
    ours = folder / "._campaign-001.yaml.new"
    theirs = [folder / "._campaign-001.new", folder / "campaign-001.yaml.new", folder / "._known.yaml.new"]
    elsewhere = (lab / PIP).parent / "._campaign-001.yaml.new"
    for path in (ours, *theirs, elsewhere):
        path.write_text("half")
    (folder / "._link.yaml.new").symlink_to(theirs[0])
    git(lab, "add", "-f", str(theirs[-1]))

    assert run("archive", "mu/campaign-001").exit_code == 0

    assert not ours.exists()
    assert all(path.exists() for path in (*theirs, elsewhere, folder / "._link.yaml.new"))


def test_restore_takes_the_line_out_again(run, lab: Path, git) -> None:
    before = (lab / MU).read_text()
    run("archive", "mu/campaign-001")
    result = run("restore", "mu/campaign-001")
    assert (result.exit_code, (lab / MU).read_text()) == (0, before)
    assert "It is paused then. To train it:  specs/realm.yaml: active: mu/campaign-001" in result.stderr


def test_with_a_branch_of_its_own_nothing_that_is_checked_out_changes(run, lab: Path, git) -> None:
    before = git(lab, "rev-parse", "HEAD")
    result = run("archive", "campaign/mu/campaign-001", "--branch", "retire")
    assert "on the new branch retire: Archive mu/campaign-001." in result.stdout
    assert "See what merging it would do:  reconcile plan retire" in result.stderr
    assert git(lab, "rev-parse", "main", "retire~1").split() == [before, before]
    assert (git(lab, "status", "--porcelain"), git(lab, "branch", "--show-current")) == ("", "main")
    assert changed(git, lab, "retire") == ["+state: archived"]


def test_a_dry_run_shows_the_diff_and_writes_nothing(run, lab: Path, git) -> None:
    before = git(lab, "rev-parse", "HEAD"), git(lab, "count-objects")
    result = run("archive", "mu/campaign-001", "--dry-run", "--branch", "retire")
    assert f"+++ b/{MU}\n@@ -1 +1,2 @@\n id: campaign-001\n+state: archived\n" in result.stdout
    assert "Not committed (--dry-run): Archive mu/campaign-001." in result.stdout
    assert (git(lab, "rev-parse", "HEAD"), git(lab, "count-objects")) == before
    assert git(lab, "branch", "--list", "retire") == ""


def test_json_has_commit_and_diff(run, lab: Path, git) -> None:
    made = json.loads(run("archive", "mu/campaign-001", "--json").stdout)
    assert made["commit"] == git(lab, "rev-parse", "HEAD")
    assert (made["branch"], made["is_new_branch"], made["files"]) == ("main", False, [MU])
    assert made["diff"].endswith("+state: archived\n")


def test_start_over_is_one_commit_of_a_new_campaign_the_old_one_archived(run, lab: Path, git) -> None:
    result = run("start-over", "pip", "--name", "Second: light")
    assert result.exit_code == 0, result.stderr
    assert "on main: Start pip over: pip/campaign-002, pip/campaign-001 archived." in result.stdout
    assert (lab / "specs/campaigns/pip/campaign-002.yaml").read_text() == (
        'id: campaign-002\nname: "Second: light"\nskills_focus: [bin]\ngoal: {updates: 2000}\n'
        "config_overrides:\n  learning_rate: 1.5e-3\n"
    )
    assert "state: archived\n" in (lab / PIP).read_text()
    assert (lab / "specs/realm.yaml").read_text() == "id: lab\nactive: pip/campaign-002\n"
    assert git(lab, "status", "--porcelain") == ""
    assert run("validate").exit_code == 0


def test_start_over_leaves_out_where_the_old_campaign_went_back(run, lab: Path, git) -> None:
    before = (lab / MU).read_text()
    (lab / MU).write_text(before + "rewind: {to: 5, reason: too hot}\n")
    git(lab, "commit", "-qam", "back")
    assert run("start-over", "mu").exit_code == 0
    assert "rewind" not in (lab / "specs/campaigns/mu/campaign-002.yaml").read_text()


@pytest.mark.parametrize(
    "marks",
    [
        "milestones: [{step: 500, note: reads the digits}]\nreleases: [{at: 1500, updates: 100}]\n",
        "milestones:\n  - step: 500\n    note: reads the digits  # at last\nreleases:\n- {at: 1500, updates: 100}\n",
    ],
    ids=["in one line", "in a block"],
)
def test_start_over_leaves_out_what_names_steps_of_the_old_campaign(run, lab: Path, git, marks: str) -> None:
    before = (lab / MU).read_text()
    (lab / MU).write_text(before + marks + "description: kept\n")
    git(lab, "commit", "-qam", "marks")

    done = run("start-over", "mu")

    assert done.exit_code == 0, done.stderr
    new = (lab / "specs/campaigns/mu/campaign-002.yaml").read_text()
    assert "milestones" not in new
    assert "releases" not in new
    assert "digits" not in new
    assert new.endswith("description: kept\n")
    assert "milestones" in (lab / MU).read_text()


def test_start_over_moves_quests_that_name_the_old_campaign_unless_told_not_to(run, lab: Path, git) -> None:
    run("start-over", "mu", "--keep-queue", "--branch", "kept")
    assert git(lab, "diff", "--name-only", "main", "kept", "--", "specs/queue.yaml") == ""
    result = run("start-over", "mu")
    assert "for: [mu/campaign-002]}" in (lab / "specs/queue.yaml").read_text()
    assert "pip/campaign-001 stays active. To train the new one:" in result.stderr
    assert "active: pip/campaign-001" in (lab / "specs/realm.yaml").read_text()


def test_start_over_uses_no_number_again(run, lab: Path, root: Path, store, rows) -> None:
    store.write([rows.campaign(uid="x" * 16, name="pip/campaign-006")])
    assert "pip/campaign-007, pip/campaign-001 archived" in run("start-over", "pip").stdout


def test_start_over_of_a_hero_with_several_campaigns_asks_which_and_takes_the_one_named(
    run, lab: Path, git
) -> None:
    (lab / "specs/campaigns/mu/campaign-002.yaml").write_text("id: campaign-002\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "two")
    refused = run("start-over", "mu")
    assert refused.exit_code == 64
    assert "say which is to be archived: --old mu/campaign-001 or mu/campaign-002" in refused.stderr
    assert (
        "mu/campaign-003, mu/campaign-002 archived" in run("start-over", "mu", "--old", "campaign-002").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["archive", "pip/campaign-001"], 3, "is the active campaign (specs/realm.yaml:2); name another one"),
        (
            ["archive", "mu/campaign-002"],
            5,
            'no spec of a campaign "mu/campaign-002"; known: mu/campaign-001',
        ),
        (["restore", "mu/campaign-001"], 3, f"mu/campaign-001 is not archived: {MU} has no state"),
        (["start-over", "mi"], 5, 'there is no hero "mi"; known: mu, pip'),
        (["start-over", "mu", "--old", "campaign-009"], 5, 'that is not archived "mu/campaign-009"'),
        (["start-over", "mu", "--name", "a\nb"], 64, "cannot be a name: expected one line"),
        (["archive", "mu/campaign-001", "--branch", "main"], 3, "there is a branch main already"),
        (["archive", "mu/campaign-001", "--branch", "a..b"], 64, '"a..b" cannot be the name of a branch'),
        (["archive", "mu/campaign-001", "--branch", "-x"], 64, '"-x" cannot be the name of a branch'),
    ],
)
def test_what_cannot_be_committed_is_refused_with_the_reason(
    run, lab: Path, git, arguments: list[str], code: int, said: str
) -> None:
    before = git(lab, "rev-parse", "HEAD")
    result = run(*arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert (git(lab, "rev-parse", "HEAD"), git(lab, "status", "--porcelain")) == (before, "")


def test_a_second_archive_says_that_it_is_archived_already(run, lab: Path) -> None:
    run("archive", "mu/campaign-001")
    refused = run("archive", "mu/campaign-001")
    assert (refused.exit_code, f"is archived already ({MU}:2)" in refused.stderr) == (3, True)


@pytest.mark.parametrize("staged", [False, True])
def test_a_spec_with_edits_that_are_not_committed_is_not_touched(run, lab: Path, git, staged: bool) -> None:
    (lab / MU).write_text("id: campaign-001\nname: mine\n")
    if staged:
        git(lab, "add", MU)
    refused = run("archive", "mu/campaign-001")
    assert refused.exit_code == 3
    assert f"{MU}: edits there are not committed, so nothing was changed" in refused.stderr
    assert (lab / MU).read_text() == "id: campaign-001\nname: mine\n"


@pytest.mark.parametrize("name", ["index", "HEAD", "refs/heads/main"])
def test_a_lock_of_another_git_is_named_with_what_to_do(run, lab: Path, git, name: str) -> None:
    before = git(lab, "rev-parse", "HEAD")
    lock = lab / f".git/{name}.lock"
    lock.touch()
    refused = run("archive", "mu/campaign-001")
    said = " ".join(refused.stderr.split())
    assert refused.exit_code == 3
    assert f"{lock}: another git command is at work there, or was killed, so nothing was changed" in said
    assert said.endswith(f"if none is at work: rm {lock}")
    assert "Another git process" not in said
    lock.unlink()
    assert (git(lab, "rev-parse", "HEAD"), git(lab, "status", "--porcelain")) == (before, "")


def test_what_a_sparse_checkout_leaves_out_is_no_edit_and_takes_a_commit(run, lab: Path, git) -> None:
    git(lab, "sparse-checkout", "set", "--no-cone", "/specs/heroes/")
    assert not (lab / MU).exists()
    assert "Not committed" not in run("plan").stdout
    (lab / "specs/heroes/pip.yaml").unlink()
    assert "Not committed, so not applied: specs/heroes/pip.yaml" in run("plan").stdout
    git(lab, "checkout", "specs/heroes/pip.yaml")
    assert run("archive", "mu/campaign-001").exit_code == 0
    assert "state: archived" in git(lab, "show", f"HEAD:{MU}")
    assert git(lab, "status", "--porcelain") == ""


def test_what_is_only_staged_is_not_replaced(run, lab: Path, git) -> None:
    before = (lab / MU).read_text()
    (lab / MU).write_text("id: campaign-001\nname: mine\n")
    git(lab, "add", MU)
    (lab / MU).write_text(before)
    refused = run("archive", "mu/campaign-001")
    assert (refused.exit_code, f"{MU}: edits there are staged and not" in refused.stderr) == (3, True)
    assert git(lab, "show", f":{MU}") == "id: campaign-001\nname: mine"


def test_without_a_branch_checked_out_it_says_how_to_make_one(run, lab: Path, git) -> None:
    git(lab, "switch", "-q", "--detach")
    refused = run("archive", "mu/campaign-001")
    assert (refused.exit_code, "make one: --branch NAME" in refused.stderr) == (3, True)
    assert run("archive", "mu/campaign-001", "--branch", "retire").exit_code == 0


def test_a_spec_that_fits_no_line_edit_is_named_with_what_to_write(run, lab: Path, git) -> None:
    (lab / MU).write_text("{id: campaign-001}\n")
    git(lab, "commit", "-qam", "braces")
    refused = run("archive", "mu/campaign-001")
    assert refused.exit_code == 3
    assert f"{MU}: is written in a way that no single line can change" in refused.stderr


def test_no_hook_runs_and_nothing_is_signed(run, lab: Path, git, tmp_path: Path) -> None:
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        (lab / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (lab / ".git/hooks" / hook).chmod(0o755)
    git_config = lab / ".git/config"
    git_config.write_text(git_config.read_text() + "[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n")
    assert run("archive", "mu/campaign-001").exit_code == 0
    assert not (tmp_path / "ran").exists()


def test_who_commits_is_whom_git_knows_and_a_made_up_name_is_told(
    run, lab: Path, git, tmp_path: Path
) -> None:
    assert "git does not know your name" in run("archive", "mu/campaign-001").stderr
    (tmp_path / "home/.gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    assert run("restore", "mu/campaign-001").stderr.count("git does not know") == 0
    assert git(lab, "log", "-1", "--format=%an <%ae> %cn") == "Ada <ada@example.org> Ada"


def test_mistakes_in_the_specs_are_told_and_nothing_is_committed(run, lab: Path, git) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactiv: pip/campaign-001\n")
    git(lab, "commit", "-qam", "a mistake")
    refused = run("archive", "mu/campaign-001")
    assert (refused.exit_code, 'did you mean "active"?' in refused.stderr) == (1, True)
    assert "Nothing was changed." in refused.stderr


def test_archive_says_what_becomes_of_the_checkpoints_by_the_rules_as_committed(run, lab: Path, git) -> None:
    assert "Every checkpoint of it stays: no rule" in run("archive", "mu/campaign-001", "--dry-run").stderr
    rules = "campaigns:\n  archived: {keep_final_checkpoint: true, delete_intermediate: true}\ntrash: {rolled: 2h}\n"
    (lab / "specs/retention.yaml").write_text(rules)
    git(lab, "add", "specs/retention.yaml")
    git(lab, "commit", "-m", "rules")
    said = run("archive", "mu/campaign-001", "--dry-run").stderr
    assert "Then specs/retention.yaml:2 decides: what it does not keep goes to the trash, for 2h." in said
    assert "pip/campaign-001: It moves whole." in run("start-over", "pip", "--dry-run").stderr


def test_archive_names_the_quests_that_will_wait(run, lab: Path, git) -> None:
    quests = "quests:\n  - {id: q1, skill: bin, level: 1, count: 10, for: [mu/campaign-001]}\n"
    (lab / "specs/queue.yaml").write_text(quests)
    git(lab, "commit", "-am", "for mu")
    said = run("archive", "mu/campaign-001", "--dry-run").stderr
    assert "1 quest of specs/queue.yaml names it (q1): what it has not learnt of it waits until it is" in said


class _Killed(BaseException):
    """What nothing catches: the command is gone at this point."""


@pytest.fixture(params=POINTS)
def killed(request: pytest.FixtureRequest, run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a command that commits three files, killed at a point: index, files and branch change in this order."""
    left = POINTS.index(request.param)
    replace = commits._replace

    def kill(*arguments: str) -> None:
        rest = iter(range(left))

        def die_there(path: Path, content: bytes | None) -> None:
            if next(rest, None) is None:
                raise _Killed
            replace(path, content)

        def die(*_: object) -> None:
            raise _Killed

        with monkeypatch.context() as patched:
            patched.setattr(commits, "_replace", die_there)
            patched.setattr(commits._Writing, "move", die)
            with pytest.raises(_Killed):
                run(*arguments)

    return kill


def test_start_over_killed_twice_before_its_commit_moves_nothing_and_is_done_once_after_that(
    run, killed, lab: Path, git
) -> None:
    before = git(lab, "rev-parse", "HEAD")
    for _ in range(2):
        killed("start-over", "pip")
        again = run("start-over", "pip")
        assert again.exit_code == 3
        assert "not committed, so nothing was changed; commit them or put them away first (git stash)" in (
            again.stderr
        )
        assert git(lab, "rev-parse", "HEAD") == before
        git(lab, "stash", "-q")
        assert git(lab, "status", "--porcelain") == ""

    done = run("start-over", "pip")

    assert "on main: Start pip over: pip/campaign-002, pip/campaign-001 archived." in done.stdout
    assert git(lab, "rev-parse", "HEAD~1") == before
    assert git(lab, "status", "--porcelain") == ""


def test_what_a_killed_start_over_left_is_whole_when_a_person_commits_it(run, killed, lab: Path, git) -> None:
    killed("start-over", "pip")
    git(lab, "commit", "-qm", "what lay there")
    by_hand = git(lab, "rev-parse", "HEAD^{tree}")
    git(lab, "reset", "-q", "--hard", "HEAD~1")

    assert run("start-over", "pip").exit_code == 0

    assert git(lab, "rev-parse", "HEAD^{tree}") == by_hand


def test_what_new_campaign_writes_says_nothing_false_of_the_campaign_that_starts_it_over(
    run, lab: Path, git
) -> None:
    (lab / MU).unlink()
    run("new", "campaign", "mu")
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "by reconcile new")
    assert run("start-over", "mu").exit_code == 0
    (first, second) = sorted((lab / "specs/campaigns/mu").glob("*.yaml"))
    comments = [line.partition("#")[2] for line in second.read_text().splitlines()]
    assert [one for one in comments if first.stem in one and "@" not in one] == []
    assert [one for one in comments if "for people" in one and "skill" in one] == []


def test_start_over_leaves_out_the_former_name_of_the_old_campaign(run, lab: Path, git) -> None:
    (lab / MU).write_text((lab / MU).read_text() + "was: mu/first\n")
    git(lab, "commit", "-qam", "renamed")
    assert run("start-over", "mu").exit_code == 0
    assert "was:" not in (lab / "specs/campaigns/mu/campaign-002.yaml").read_text()
    assert run("validate").exit_code == 0
