"""A source in trouble (away, rewritten, broken): the last good commit stays in force, and the trouble is told."""

import json
from pathlib import Path

import pytest
from closed_door import closed_door
from followed_root import REALM, Run, status
from remote_repository import commit, git

from state.layout import Layout
from state.lock import hold_lock


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
