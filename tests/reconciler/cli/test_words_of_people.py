"""Only our own hints take --root, --repo and --host along: what people wrote stays as they wrote it."""

import json
import shlex
from pathlib import Path

import pytest

from reconciler.app.forges.comments import MARK
from reconciler.cli.text_layout import safe, theirs, unmarked, wrapped

WORDS = "ask before reconcile apply"


@pytest.fixture
def there(run, lab: Path, root: Path):
    """Run a command with --root before its verb; return what it said, its spaces evened out."""

    def tell(*arguments: str) -> str:
        done = run("--root", str(root), *arguments)
        assert done.exit_code == 0, done.stderr
        return " ".join(f"{done.stdout} {done.stderr}".split())

    return tell


def test_the_line_by_which_a_comment_is_known_is_the_same_with_every_option(run, there, lab: Path) -> None:
    posted = there("--repo", str(lab), "plan", "--format", "markdown")
    assert posted.startswith(f"{MARK}lab -->")
    assert str(lab) not in posted


def test_the_diff_that_is_shown_is_what_is_committed(run, there, lab: Path, root: Path, git) -> None:
    shown = run("--root", str(root), "suspend", "realm", "--why", WORDS, "--dry-run").stdout
    made = run("--root", str(root), "suspend", "realm", "--why", WORDS)
    committed = git(lab, "show", "--format=", "HEAD").splitlines()
    added = [line for line in committed if line.startswith("+s")]
    assert WORDS in added[0]
    assert added[0] in shown.splitlines()
    assert added[0] in made.stdout.splitlines()
    assert f"reconcile --root {root} plan" in made.stderr  # which is a hint


@pytest.mark.parametrize(
    "look",
    [("plan",), ("status",), ("explain", "realm"), ("plan", "--format", "markdown")],
    ids=" ".join,
)
def test_a_reason_is_told_as_it_was_given_and_the_hint_beside_it_completed(
    run, there, root: Path, look: tuple[str, ...]
) -> None:
    assert run("suspend", "realm", "--why", WORDS).exit_code == 0
    told = there(*look)
    assert WORDS in told
    if "markdown" not in look:
        assert f"reconcile --root {root} unsuspend realm" in told


def test_what_somebody_did_is_no_hint(run, there, root: Path) -> None:
    """A cause says what was done, `reconcile stop`; the hint beside it what to do."""
    assert run("apply", "--once", "--only", "campaign/*").exit_code == 0
    assert run("stop", "pip/campaign-001").exit_code == 0
    run("apply", "--once", "--only", "campaign/*")
    for look in (("plan",), ("explain", "pip/campaign-001"), ("plan", "--format", "markdown")):
        told = there(*look)
        assert "reconcile stop" in told
        assert f"reconcile --root {root} stop" not in told
    assert f"reconcile --root {root} resume pip/campaign-001" in there("plan")


def test_subjects_of_commits_are_told_as_they_are(there, lab: Path, root: Path, git) -> None:
    git(lab, "switch", "-qc", "other")
    git(lab, "commit", "-q", "--allow-empty", "-m", "No reconcile apply in tests")
    git(lab, "switch", "-q", "main")
    told = there("proposals")
    assert "No reconcile apply in tests" in told
    assert f"reconcile --root {root} plan main..other" in told


def test_the_source_line_of_a_mistake_is_told_as_it_stands(run, lab: Path, root: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactiv: reconcile apply\n")
    for call in (("validate",), ("plan", "--worktree")):
        done = run("--root", str(root), *call)
        assert "    activ: reconcile apply\n" in done.stdout + done.stderr


def test_words_that_are_marked_lose_the_mark_where_they_are_printed() -> None:
    marked = theirs(safe("first reconcile plan, then reconcile apply"))
    assert unmarked(marked) == "first reconcile plan, then reconcile apply"
    assert unmarked(" ".join(wrapped(marked, 20))) == "first reconcile plan, then reconcile apply"


@pytest.mark.parametrize("name", ["it's", 'switch;$(touch${IFS}x)"q"', "a&b"])
def test_a_command_with_the_name_of_a_branch_names_that_branch_in_a_shell(
    run, lab: Path, git, name: str
) -> None:
    proposed = run("propose", "realm", "active=mu/campaign-001", "--branch", name)
    assert proposed.exit_code == 0, proposed.stderr
    _, _, command = proposed.stderr.rstrip("\n").partition("would do:  ")
    assert shlex.split(command) == ["reconcile", "plan", name]
    _, _, command = run("proposals").stdout.rstrip("\n").partition("See one whole:  ")
    assert shlex.split(command) == ["reconcile", "plan", f"main..{name}"]
    assert json.loads(run("proposals", "--json").stdout)["items"][0]["branch"] == name
