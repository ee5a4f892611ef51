"""What a source brings along is neither executed nor followed, and its secrets are not shown."""

from pathlib import Path

import pytest
from followed_root import REALM, Run, status
from remote_repository import commit, git


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


@pytest.mark.parametrize("url", ["ext::sh -c true", "-u", "ftp://x/y", "relative/path", "a b:c", ""])
def test_a_url_that_needs_a_helper_or_is_none_is_refused(run: Run, url: str, root: Path) -> None:
    result = run("apply", "--once", f"--source={url}")
    assert result.exit_code == 64
    assert "is no source; expected https://" in result.stderr
    assert not (root / "source.json").exists()


def test_a_password_of_the_url_is_shown_nowhere(run: Run, there: Path, root: Path) -> None:
    result = run("apply", "--once", "--source", "http://ada:secret@127.0.0.1:9/x.git")
    assert result.exit_code == 1
    assert "secret" not in result.output
    assert "secret" not in (root / "control" / "fetched.json").read_text()
