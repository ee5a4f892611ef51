"""A root that follows a repository elsewhere: `apply --source`, `refresh`, and what happens to it in trouble."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from closed_door import closed_door
from remote_repository import commit, commit_on_bare, git, with_commits

from reconciler.app.applying.fetching import wait_seconds
from reconciler.cli.group import reconcile
from state.layout import Layout
from state.lock import hold_lock

Run = Callable[..., Result]
REALM = "id: lab\n"
PATIENCE = 120.0


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The repository elsewhere: a realm in which nothing trains."""
    folder = tmp_path / "there"
    (folder / "specs").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, {"specs/realm.yaml": REALM})
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def run(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command from a folder that is no repository, about the root alone."""
    for name in [name for name in os.environ if name.startswith(("REALM_", "XDG_", "GIT_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "empty")

    def call(*words: str) -> Result:
        return CliRunner().invoke(reconcile, ["--root", str(root), *words], prog_name="reconcile")

    return call


def status(run: Run) -> dict[str, Any]:
    result = run("status", "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_the_source_is_given_once_and_every_later_command_needs_the_root_alone(
    run: Run, there: Path, root: Path
) -> None:
    assert run("apply", "--once", "--source", str(there)).exit_code == 0
    newer = commit(there, {"specs/realm.yaml": f"{REALM}name: The lab\n"})
    assert run("apply", "--once").exit_code == 0
    seen = status(run)
    specs = next(line for line in run("status").stdout.splitlines() if line.startswith("  specs "))
    assert " in force, apply follows main" in specs  # in a mirror nothing is checked out
    assert (seen["commit"], seen["applied_commit"], seen["source"]["commit"]) == (newer, newer, newer)
    assert (seen["source"]["url"], seen["source"]["trouble"]) == (str(there), None)
    assert run("plan").stdout.startswith(f"lab   main@{newer[:7]}")
    assert git(root / "source.git", "config", "core.bare") == "true"


def test_a_source_needs_a_root_and_a_root_follows_one_source(run: Run, there: Path, tmp_path: Path) -> None:
    run("apply", "--once", "--source", str(there))
    other = run("apply", "--once", "--source", "https://example.org/other.git")
    assert other.exit_code == 1
    assert f"follows {there}, branch main, not https://example.org/other.git, branch main" in other.stderr
    branch = run("apply", "--once", "--branch", "next")
    assert "branch main, not" in branch.stderr
    alone = CliRunner().invoke(reconcile, ["apply", "--source", str(there)], prog_name="reconcile")
    assert alone.exit_code == 64
    assert "--source needs a root of its own on this machine: --root DIR" in alone.stderr


def test_from_another_clone_what_looks_at_a_root_tells_the_specs_that_the_root_follows(
    run: Run, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone's own commit, with its mistakes, was never fetched by the root: it is no matter of the root's."""
    assert run("apply", "--once", "--source", str(there)).exit_code == 0
    clone = tmp_path / "clone"
    git(there, "clone", "-q", str(there), str(clone))
    mine = commit(clone, {"specs/realm.yaml": f"{REALM}activ: nobody\n"})
    monkeypatch.chdir(clone)

    assert status(run)["commit"] == git(there, "rev-parse", "HEAD")
    told = run("status")
    assert "mistake" not in told.stdout + told.stderr
    assert "mistake" not in run("history").stderr
    assert f"the specs at main@{mine[:7]}" in run("--repo", str(clone), "history").stderr


@pytest.mark.parametrize("folder", ["clone", "foreign"])
def test_in_any_repository_a_named_root_is_applied_from_its_source(
    run: Run, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    assert run("apply", "--source", str(there), "--once").exit_code == 0
    git(tmp_path, "clone", "-q", str(there), "clone")
    git(tmp_path, "init", "-q", "foreign")
    git(tmp_path / "foreign", "commit", "-q", "--allow-empty", "-m", "no specs")
    newest = commit(there, {"specs/realm.yaml": REALM + "labels: {a: b}\n"})
    monkeypatch.chdir(tmp_path / folder)
    applied = run("apply", "--once")
    assert (applied.exit_code, status(run)["applied_commit"]) == (0, newest), applied.stderr
    plan = run("plan")
    assert plan.exit_code == 0, plan.stderr
    assert "reconcile init" not in plan.stdout + plan.stderr


def test_a_repository_that_is_named_and_is_not_the_source_is_refused_with_the_right_way_out(
    run: Run, there: Path, tmp_path: Path
) -> None:
    run("apply", "--source", str(there), "--once")
    git(tmp_path, "clone", "-q", str(there), "clone")
    refused = run("--repo", str(tmp_path / "clone"), "apply", "--once")
    assert refused.exit_code == 1
    assert f"not {tmp_path / 'clone'}; give another --root, or leave away" in refused.stderr


def test_what_was_never_fetched_is_not_remembered(run: Run, there: Path, root: Path) -> None:
    failed = run("apply", "--once", "--source", "/not/there.git")
    assert failed.exit_code == 1
    assert "nothing was ever fetched from it, so there are no specs to follow" in failed.stderr
    assert not (root / "source.json").exists()
    assert run("apply", "--once", "--source", str(there)).exit_code == 0


@pytest.mark.parametrize("url", ["ext::sh -c true", "-u", "ftp://x/y", "relative/path", "a b:c", ""])
def test_a_url_that_needs_a_helper_or_is_none_is_refused(run: Run, url: str, root: Path) -> None:
    result = run("apply", "--once", f"--source={url}")
    assert result.exit_code == 64
    assert "is no source; expected https://" in result.stderr
    assert not (root / "source.json").exists()


def test_a_force_push_stays_out_of_force_until_this_very_commit_is_accepted(run: Run, there: Path) -> None:
    before = commit(there, {"specs/realm.yaml": f"{REALM}name: Before\n"})
    run("apply", "--once", "--source", str(there))
    git(there, "reset", "-q", "--hard", "HEAD~1")
    after = commit(there, {"specs/realm.yaml": f"{REALM}name: After\n"})
    assert run("apply", "--once").exit_code == 3
    seen = status(run)
    assert (seen["commit"], seen["source"]["offered"]) == (before, after)
    assert [item["code"] for item in seen["blocked"]] == ["source-rewritten"]
    assert f"reconcile refresh --accept {after[:12]}" in seen["blocked"][0]["hint"]
    never = run("wait", "realm", "--for", "applied", "--timeout", "200")
    assert (never.exit_code, f"refresh --accept {after[:12]}" in never.stderr) == (1, True)
    since = seen["source"]["trouble"]["since"]
    run("apply", "--once")
    assert status(run)["source"]["trouble"]["since"] == since
    wrong = run("refresh", "--accept", "0123456789ab")
    assert (wrong.exit_code, f"the source offers {after[:12]}, not 0123456789ab" in wrong.stderr) == (3, True)
    assert run("refresh", "--accept", after[:12], "--why", "rebased").exit_code == 0
    assert run("apply", "--once").exit_code == 0
    assert status(run)["commit"] == after


def test_a_deleted_branch_leaves_the_last_good_commit_in_force(run: Run, there: Path) -> None:
    run("apply", "--once", "--source", str(there))
    good = status(run)
    git(there, "branch", "-qm", "main", "other")
    assert run("apply", "--once").exit_code == 3
    seen = status(run)
    assert (seen["source"]["trouble"]["code"], seen["commit"]) == ("branch-gone", good["commit"])
    git(there, "branch", "-qm", "other", "main")
    assert run("apply", "--once").exit_code == 0
    assert status(run)["source"]["trouble"] is None


def test_an_unreachable_source_leaves_the_last_good_commit_in_force_and_says_when_it_was_seen(
    run: Run, there: Path, root: Path, tmp_path: Path
) -> None:
    run("apply", "--once", "--source", str(there))
    good = status(run)
    there.rename(tmp_path / "away")
    assert run("apply", "--once").exit_code == 3
    seen = status(run)
    assert (seen["source"]["trouble"]["code"], seen["commit"]) == ("unreachable", good["commit"])
    assert run("wait", "realm", "--for", "applied", "--timeout", "0").exit_code == 6  # it may come back
    assert seen["source"]["good_at"] == good["source"]["good_at"]
    (told,) = seen["blocked"]
    assert (
        f"{good['commit'][:7]} stays in force, last seen there at {good['source']['good_at']}"
        in told["message"]
    )
    assert told["hint"] == "what it needs is on the other side; then: reconcile apply --once"
    with hold_lock(Layout(root).lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        assert status(run)["blocked"][0]["hint"].endswith("; then: reconcile refresh --wait")
    (tmp_path / "away").rename(there)
    assert run("apply", "--once").exit_code == 0
    assert status(run)["source"]["trouble"] is None


def test_a_source_without_its_credentials_says_what_is_missing_and_the_last_good_commit_stays(
    run: Run, there: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    run("apply", "--once", "--source", str(there))
    good = status(run)
    followed = json.loads((root / "source.json").read_text())
    with closed_door() as url:
        (root / "source.json").write_text(json.dumps({**followed, "url": url}))
        assert run("apply", "--once").exit_code == 3
    seen = status(run)
    assert (seen["source"]["trouble"]["code"], seen["commit"]) == ("no-access", good["commit"])
    assert "give who runs apply an ssh key or a credential helper" in seen["blocked"][0]["hint"]


BROKEN = {
    "empty tree": {"specs/realm.yaml": None, "README.md": "nothing here"},
    "conflict markers": {"specs/realm.yaml": "<<<<<<< ours\nid: lab\n=======\nid: lib\n>>>>>>> theirs\n"},
    "not UTF-8": {"specs/realm.yaml": b"id: l\xffb\n"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_commit_is_told_and_the_one_before_stays_in_force_also_after_a_restart(
    run: Run, there: Path, name: str
) -> None:
    run("apply", "--once", "--source", str(there))
    before = status(run)["commit"]
    commit(there, BROKEN[name])
    for _ in range(2):
        result = run("apply", "--once")
        assert f"The specs at main@{before[:7]} stay in force; those at main@" in result.stderr
    seen = status(run)
    assert seen["commit"] == before
    assert seen["complaint"] is not None


def test_a_symbolic_link_in_the_tree_is_named_and_not_followed(run: Run, there: Path) -> None:
    run("apply", "--once", "--source", str(there))
    before = status(run)["commit"]
    (there / "specs/heroes").mkdir()
    (there / "specs/heroes/pip.yaml").symlink_to("/etc/passwd")
    commit(there, {})
    result = run("apply", "--once")
    assert "specs/heroes/pip.yaml" in result.stderr
    assert "a symbolic link" in result.stderr
    assert "root:" not in result.output
    assert status(run)["commit"] == before


def test_a_submodule_in_the_tree_is_named_and_not_fetched(run: Run, there: Path, root: Path) -> None:
    run("apply", "--once", "--source", str(there))
    git(there, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(there), "specs/sub")
    git(there, "commit", "-qm", "a submodule")
    assert "a submodule" in run("apply", "--once").stderr
    assert not list((root / "source.git").rglob("modules"))


@pytest.mark.parametrize("where", ["the source", "the mirror"])
def test_no_filter_of_the_source_or_of_the_mirror_runs(
    run: Run, there: Path, root: Path, tmp_path: Path, where: str
) -> None:
    run("apply", "--once", "--source", str(there))
    place = there if where == "the source" else root / "source.git"
    git(place, "config", "filter.canary.smudge", f"touch {tmp_path}/canary; cat")
    git(place, "config", "filter.canary.process", f"touch {tmp_path}/canary")
    newer = commit(
        there, {".gitattributes": "*.yaml filter=other\n", "specs/realm.yaml": f"{REALM}name: New\n"}
    )
    (there / ".git/info").mkdir(exist_ok=True)
    (there / ".git/info/attributes").write_text("*.yaml filter=canary\n")
    (root / "source.git/info").mkdir(exist_ok=True)
    (root / "source.git/info/attributes").write_text("*.yaml filter=canary\n")
    assert run("apply", "--once").exit_code == 0
    assert status(run)["commit"] == newer
    assert not (tmp_path / "canary").exists()


def test_a_password_of_the_url_is_shown_nowhere(run: Run, there: Path, root: Path) -> None:
    result = run("apply", "--once", "--source", "http://ada:secret@127.0.0.1:9/x.git")
    assert result.exit_code == 1
    assert "secret" not in result.output
    assert "secret" not in (root / "control" / "fetched.json").read_text()


@pytest.fixture
def loop(run: Run, there: Path, root: Path) -> Iterator[subprocess.Popen[str]]:
    """An apply that runs, and looks at its source once an hour."""
    commit(there, {"specs/realm.yaml": f"{REALM}apply: {{poll: 1h}}\n"})
    words = [sys.executable, "-m", "reconciler.cli", "--root", str(root), "apply", "--source", str(there)]
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **path}
    )
    try:
        until(lambda: (root / "source.json").exists() and status(run)["applied_commit"] is not None)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_refresh_returns_when_its_own_look_was_made_and_a_hangup_asks_for_one(
    run: Run, there: Path, loop: "subprocess.Popen[str]"
) -> None:
    newer = commit(there, {"specs/realm.yaml": f"{REALM}name: Newer\napply: {{poll: 1h}}\n"})
    result = run("refresh", "--wait")
    assert (result.exit_code, f"main is at {newer[:7]}, fetched" in result.stdout) == (0, True), result.output
    until(lambda: status(run)["applied_commit"] == newer)
    newest = commit(there, {"specs/realm.yaml": f"{REALM}name: Newest\napply: {{poll: 1h}}\n"})
    loop.send_signal(signal.SIGHUP)
    until(lambda: status(run)["applied_commit"] == newest)
    assert loop.poll() is None


MISTAKE = f"{REALM}active: nobody/campaign-001\napply: {{poll: 1h}}\n"


def test_refresh_tells_of_the_very_commit_that_its_look_found_whether_it_is_in_force(
    run: Run, there: Path, loop: "subprocess.Popen[str]"
) -> None:
    good = status(run)["commit"]
    broken = commit(there, {"specs/realm.yaml": MISTAKE})
    result = run("refresh", "--wait")
    assert result.exit_code == 3, result.output
    assert f"main is at {broken[:7]}, fetched" in result.stdout
    assert "its specs have 1 mistake, at specs/realm.yaml:2:9, and are not in force" in result.stdout
    assert f"; {good[:7]} stays in force" in result.stdout
    never = run("wait", "realm", "--for", "applied", "--timeout", "200")
    assert (never.exit_code, f"the newest commit is {broken[:7]}" in never.stderr) == (1, True)
    mended = commit(there, {"specs/realm.yaml": f"{REALM}name: Mended\napply: {{poll: 1h}}\n"})
    result = run("refresh", "--wait", "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert f"main is at {mended[:7]}, fetched" in result.stdout
    assert json.loads(result.stdout)["found_mistakes"] is False
    commit(there, {"specs/realm.yaml": MISTAKE})
    assert json.loads(run("refresh", "--wait", "--json").stdout)["found_mistakes"] is True
    result = run("refresh")
    assert (result.exit_code, result.stderr) == (0, "")  # how it is by now, only the look will tell


def test_refresh_of_a_source_that_cannot_be_followed_ends_with_the_code_of_mistakes(
    run: Run, there: Path, tmp_path: Path, loop: "subprocess.Popen[str]"
) -> None:
    there.rename(tmp_path / "away")
    result = run("refresh", "--wait")
    assert (result.exit_code, "stays in force" in result.stdout) == (3, True), result.output
    (tmp_path / "away").rename(there)
    assert run("refresh", "--wait").exit_code == 0


def test_looks_at_a_source_that_cannot_be_reached_grow_rarer_and_one_success_starts_anew() -> None:
    assert [wait_seconds(30, failures, 0.0) for failures in range(7)] == [30, 60, 120, 240, 480, 900, 900]
    assert wait_seconds(30, 2, 1.0) == pytest.approx(144.0)
    assert wait_seconds(30, 0, 1.0) == 30
    assert wait_seconds(3600, 1, 0.0) == 3600
    assert wait_seconds(30, 10_000, 0.0) == 900


def test_a_source_that_was_cut_short_leaves_the_last_good_commit_in_force(
    run: Run, there: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    git(tmp_path, "clone", "-q", str(there), str(cut))
    run("apply", "--once", "--source", str(cut))
    good = status(run)["commit"]
    for number in range(3):
        newest = commit(there, {"specs/realm.yaml": f"{REALM}name: Number {number}\n"})
    git(cut, "fetch", "-q", "--depth", "1", f"file://{there}", "main")
    git(cut, "reset", "-q", "--hard", newest)
    git(cut, "reflog", "expire", "--expire=now", "--all")
    git(cut, "gc", "-q", "--prune=now")
    assert run("apply", "--once").exit_code == 3
    seen = status(run)
    assert seen["commit"] == good
    assert seen["source"]["trouble"]["code"] in ("shallow", "rewritten")
    assert seen["source"]["good_at"] is not None


def test_no_hook_of_the_source_or_of_the_mirror_runs(
    run: Run, there: Path, root: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    hooks = ("post-checkout", "post-merge", "post-update", "reference-transaction", "upload-pack")
    run("apply", "--once", "--source", str(there))
    for folder in (there / ".git" / "hooks", root / "source.git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in hooks:
            (folder / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
            (folder / name).chmod(0o755)
    canary.unlink(missing_ok=True)
    (there / "specs/realm.yaml").write_text(f"{REALM}name: Newer\n")
    git(there, "-c", "core.hooksPath=/dev/null", "commit", "-qam", "Newer")
    assert run("apply", "--once").exit_code == 0
    assert status(run)["commit"] == git(there, "rev-parse", "HEAD")
    assert not canary.exists()


@pytest.mark.long
def test_a_hundred_thousand_commits_are_followed_and_looked_through_as_fast_as_one(
    run: Run, tmp_path: Path
) -> None:
    many = with_commits(tmp_path / "many", 100_000)
    assert run("apply", "--once", "--source", str(many)).exit_code == 0
    assert git(many, "rev-list", "--count", "main") == "100000"
    newer = commit_on_bare(many)
    before = time.process_time()
    assert run("apply", "--once").exit_code == 0
    assert status(run)["commit"] == newer
    assert run("plan").exit_code == 0
    assert time.process_time() - before < 10.0  # of this process, whatever else the machine does
