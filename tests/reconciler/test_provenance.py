"""Which software trains is said truthfully: commit and difference of a checkout, or the installed files."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.provenance import ProvenanceUnknown, code_version


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for package in ("reconciler", "state", "trainer"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/realm.yaml").write_text("id: x\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    found = code_version(checkout)

    assert (found.source, str(found)) == ("git", git(checkout, "rev-parse", "HEAD"))


def test_an_edit_of_our_code_is_a_digest_beside_the_commit(checkout: Path) -> None:
    (checkout / "trainer/__init__.py").write_text("rate = 2\n")
    first = code_version(checkout)
    (checkout / "trainer/__init__.py").write_text("rate = 3\n")
    second = code_version(checkout)

    assert first.commit == second.commit == git(checkout, "rev-parse", "HEAD")
    assert None not in (first.dirty, second.dirty)
    assert first.dirty != second.dirty
    assert str(first) == f"{first.commit}+dirty.{first.dirty}"


def test_a_staged_edit_and_a_new_file_count_too(checkout: Path) -> None:
    (checkout / "state/new.py").write_text("")
    new = code_version(checkout).dirty
    git(checkout, "add", ".")
    staged = code_version(checkout).dirty

    assert new is not None
    assert staged is not None


def test_a_deleted_file_counts_too(checkout: Path) -> None:
    (checkout / "trainer/__init__.py").unlink()

    assert code_version(checkout).dirty is not None


def test_an_edit_of_specs_is_no_change_of_the_software(checkout: Path) -> None:
    (checkout / "specs/realm.yaml").write_text("id: y\n")

    assert code_version(checkout).dirty is None


def test_what_the_users_git_is_configured_to_do_changes_nothing(checkout: Path) -> None:
    (checkout / "state/__init__.py").write_text("x = 1\n")
    plain = code_version(checkout).dirty
    git(checkout, "config", "diff.external", "false")
    git(checkout, "config", "diff.noprefix", "true")

    assert code_version(checkout).dirty == plain


def test_the_repository_around_a_virtual_environment_is_not_our_checkout(checkout: Path) -> None:
    place = checkout / "venv/lib"
    (place / "reconciler").mkdir(parents=True)
    (place / "reconciler/__init__.py").write_text("")

    with pytest.raises(ProvenanceUnknown, match="neither a git checkout of this software nor an installed"):
        code_version(place)


def test_an_installed_distribution_is_the_digest_of_its_file_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "realm_reconciler-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: realm-reconciler\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("reconciler/__init__.py,sha256=abc,0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    first = code_version(tmp_path)
    (info / "RECORD").write_text("reconciler/__init__.py,sha256=abd,0\n")

    assert first.source == "distribution"
    assert str(first).startswith("realm-reconciler 0.1.0 sha256:")
    assert code_version(tmp_path) != first


def test_without_git_a_checkout_cannot_say_what_it_is(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    shutil.rmtree(checkout / "specs")

    with pytest.raises(ProvenanceUnknown, match="install it, or clone it with git"):
        code_version(checkout)
