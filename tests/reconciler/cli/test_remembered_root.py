"""The repository remembers a root that was named for one command only, so that no second realm is begun."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.app.surroundings.remembered_root import (
    Memory,
    Used,
    memory_of,
    remember_use,
    remembered_root,
)
from reconciler.desired.git_source import resolve
from state.failpoints import arm


@pytest.fixture(autouse=True)
def _nothing_to_learn(lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")


def test_the_first_apply_makes_the_repository_remember_the_root_for_the_next_terminal(run, lab, root) -> None:
    assert str(root) not in run("--repo", str(lab), "status", anywhere=True).stdout
    first = run("apply", "--once")
    assert f"this repository remembers its root from now on: {root} (git config realm.root)" in first.stderr
    assert remembered_root(resolve(lab)) == root
    assert f"root        {root}\n" in run("--repo", str(lab), "status", anywhere=True).stdout


def test_a_root_named_beside_one_in_use_is_told_and_not_remembered(run, lab, root, tmp_path) -> None:
    run("apply", "--once")
    other = run("--repo", str(lab), "--root", str(tmp_path / "other"), "apply", "--once", anywhere=True)
    assert f"the root of this repository, {root}, is in use; --root or REALM_ROOT named" in other.stderr
    assert remembered_root(resolve(lab)) == root


def test_what_realm_yaml_says_comes_before_what_the_repository_remembers(
    run, lab, root, tmp_path, git
) -> None:
    run("apply", "--once")
    text = (lab / "specs/realm.yaml").read_text()
    (lab / "specs/realm.yaml").write_text(f"{text}root: {tmp_path / 'said'}\n")
    git(lab, "commit", "-qam", "the root by name")
    assert str(tmp_path / "said") in run("--repo", str(lab), "status", anywhere=True).stdout


def test_looking_remembers_nothing(run, lab) -> None:
    run("plan")
    run("status")
    assert remembered_root(resolve(lab)) is None


def test_a_linked_work_tree_knows_the_root_too(run, lab, root, tmp_path, git) -> None:
    run("apply", "--once")
    git(lab, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    assert remembered_root(resolve(tmp_path / "linked")) == root


@pytest.fixture
def here(run, lab):
    """Call the command for the repository alone: nobody names a root."""
    return lambda *words: run("--repo", str(lab), *words, anywhere=True)


def say(lab: Path, git, old: str, new: str) -> None:
    """Commit another word of realm.yaml."""
    file = lab / "specs/realm.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    git(lab, "commit", "-qam", "another word")


def usual(tmp_path: Path, realm: str = "lab") -> Path:
    return tmp_path / "home/.local/share/realm" / realm


@pytest.mark.parametrize("leaves", [False, True], ids=["nothing-left", "mount-point-left"])
@pytest.mark.parametrize("named", [False, True], ids=["usual-root", "remembered-root"])
def test_a_root_that_was_in_use_and_is_gone_is_never_taken_for_a_new_one(
    run, here, lab, root, tmp_path, *, named: bool, leaves: bool
) -> None:
    (run if named else here)("apply", "--once")
    place = root if named else usual(tmp_path)
    place.rename(tmp_path / "disk")
    if leaves:
        place.mkdir()
    applied = here("apply", "--once")
    assert (applied.exit_code, applied.stdout) == (1, "")
    assert f"the root {place} was in use here since 20" in applied.stderr
    assert "begin anew: reconcile" in applied.stderr
    assert list(place.iterdir() if leaves else []) == []
    plan = json.loads(here("plan", "--json").stdout)
    assert ([one["code"] for one in plan["blocked"]], plan["changes"]) == (["root-vanished"], [])
    assert "There is no root yet" not in here("plan").stdout
    status = json.loads(here("status", "--json").stdout)
    assert status["root_gone_since"] is not None
    assert {one["synced"]["reason"] for one in status["campaigns"]} == {"root-gone"}
    assert "gone: in use here since" in here("status").stdout
    assert "gone: in use here since" in here("explain", "root").stdout
    assert f"fail root the root {place} was in use" in " ".join(here("doctor").stdout.split())
    if leaves:
        place.rmdir()
    (tmp_path / "disk").rename(place)
    assert here("apply", "--once").exit_code == 0
    assert json.loads(here("status", "--json").stdout)["root_gone_since"] is None


def test_a_root_that_was_deleted_on_purpose_is_begun_anew_with_one_word(here, tmp_path) -> None:
    here("apply", "--once")
    shutil.rmtree(usual(tmp_path))
    assert here("apply", "--once").exit_code == 1
    assert here("apply", "--once", "--new-root").exit_code == 0
    assert here("apply", "--once").exit_code == 0


def test_a_root_in_use_is_not_begun_anew(here, tmp_path) -> None:
    here("apply", "--once")
    refused = here("apply", "--once", "--new-root")
    assert refused.exit_code == 1
    assert f"--new-root begins a realm where none is, and {usual(tmp_path)} is in use" in refused.stderr


def test_a_root_that_was_moved_is_found_when_it_is_named_and_remembered_from_then_on(
    here, tmp_path, lab
) -> None:
    here("apply", "--once")
    usual(tmp_path).rename(tmp_path / "moved")
    assert here("--root", str(tmp_path / "moved"), "apply", "--once").exit_code == 0
    assert here("apply", "--once").exit_code == 0
    assert memory_of(resolve(lab)).home == str(tmp_path / "moved")


def test_a_clone_and_a_copy_on_another_machine_begin_a_realm_of_their_own(
    here, run, lab, git, tmp_path, monkeypatch
) -> None:
    here("apply", "--once")
    usual(tmp_path).rename(tmp_path / "kept")
    git(tmp_path, "clone", "-q", "--mirror", str(lab), "clone")
    assert run("--repo", str(tmp_path / "clone"), "apply", "--once", anywhere=True).exit_code == 0
    usual(tmp_path).rename(tmp_path / "of-the-clone")
    assert here("apply", "--once").exit_code == 1
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="elsewhere"))
    assert here("apply", "--once").exit_code == 0


def test_another_id_in_realm_yaml_makes_no_second_realm(here, lab, git, tmp_path) -> None:
    here("apply", "--once")
    say(lab, git, "id: lab", "id: lab2")
    plan = here("plan")
    assert f"the root {usual(tmp_path)} belongs to realm lab, not lab2" in " ".join(plan.stdout.split())
    assert "write id: lab again" in plan.stdout
    assert here("apply", "--once").exit_code == 1
    assert not usual(tmp_path, "lab2").exists()
    assert json.loads(here("status", "--json").stdout)["root"] == str(usual(tmp_path))
    assert here("pause").exit_code == 0


def test_another_realm_of_the_same_repository_is_begun_with_one_word(here, lab, git, tmp_path) -> None:
    here("apply", "--once")
    say(lab, git, "id: lab", "id: lab2")
    assert here("apply", "--once", "--new-root").exit_code == 0
    assert json.loads(here("status", "--json").stdout)["root"] == str(usual(tmp_path, "lab2"))
    assert here("apply", "--once").exit_code == 0
    assert usual(tmp_path).exists()


def test_another_root_in_realm_yaml_is_named_and_the_realm_goes_on_where_it_lies(
    here, lab, git, tmp_path
) -> None:
    here("apply", "--once")
    say(lab, git, "id: lab", f"id: lab\nroot: {tmp_path / 'other'}")
    plan = json.loads(here("plan", "--json").stdout)
    assert (plan["root"], [one["code"] for one in plan["blocked"]]) == (
        str(usual(tmp_path)),
        ["root-elsewhere"],
    )
    applied = here("apply", "--once")
    assert (applied.exit_code, "root: the realm lies at" in applied.stdout) == (3, True)
    assert not (tmp_path / "other").exists()
    assert here("pause").exit_code == 0


def test_a_root_that_was_moved_where_realm_yaml_says_is_found_there(here, lab, git, tmp_path) -> None:
    here("apply", "--once")
    say(lab, git, "id: lab", f"id: lab\nroot: {tmp_path / 'other'}")
    usual(tmp_path).rename(tmp_path / "other")
    assert here("apply", "--once").exit_code == 0
    assert memory_of(resolve(lab)).home == str(tmp_path / "other")


def test_a_root_that_realm_yaml_names_through_a_link_is_the_same_root(here, lab, git, tmp_path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    here("--root", str(tmp_path / "root"), "apply", "--once")
    say(lab, git, "id: lab", f"id: lab\nroot: {tmp_path / 'link/root'}")
    assert here("apply", "--once").exit_code == 0


def test_what_the_repository_remembers_is_named_where_it_is_damaged(here, lab) -> None:
    here("apply", "--once")
    (lab / ".git/realm.json").write_text("{")
    damaged = here("plan")
    assert damaged.exit_code == 1
    assert "realm.json: not a Memory" in damaged.stderr
    assert "remove it: the next apply writes it anew" in damaged.stderr


def killed_at(number: int, do) -> bool:
    """Do something in a process of its own that is killed at its n-th failpoint; return whether it was."""
    child = os.fork()
    if child == 0:
        arm(number, "kill")
        do()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_wherever_it_may_be_the_repository_remembers_a_root_whole_or_not_at_all(lab, tmp_path) -> None:
    place, commit, used = tmp_path / "root", resolve(lab), Used(host="here", since="2026-01-01T00:00:00Z")
    seen = []
    while killed_at(len(seen) + 1, lambda: remember_use(commit, place, used, is_home=True)):
        seen.append(memory_of(commit))
        (lab / ".git/realm.json").unlink(missing_ok=True)
    whole = Memory(home=str(place), used={str(place): used})
    assert memory_of(commit) == whole
    assert (seen[0], seen[-1]) == (Memory(), whole)
    assert all(one in (Memory(), whole) for one in seen)


def test_killed_wherever_it_may_be_a_first_apply_is_made_again_without_a_word_more(
    here, tmp_path, lab
) -> None:
    number, done = 1, 0
    while killed_at(number, lambda: here("apply", "--once")):
        again = here("apply", "--once")
        assert again.exit_code == 0, (number, again.stderr)
        shutil.rmtree(usual(tmp_path))
        (lab / ".git/realm.json").unlink()
        number, done = number + 7, done + 1
    assert done > 5
