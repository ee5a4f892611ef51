"""The specs that come with the software."""

from pathlib import Path

import pytest

import reconciler
from reconciler.app.errors import Failed
from reconciler.app.init import contents
from reconciler.app.shipped import shipped_specs, spec_files


def test_in_a_checkout_they_are_those_beside_the_packages() -> None:
    assert (shipped_specs() / "realm.yaml").is_file()
    assert [path for path, _ in spec_files(shipped_specs())][0:1] == ["README.md"]


def test_installed_they_are_among_the_shared_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "share/realm/specs"
    installed.mkdir(parents=True)
    (installed / "realm.yaml").write_text("id: x\n")
    monkeypatch.setattr(reconciler, "__file__", str(tmp_path / "lib/reconciler/__init__.py"))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    assert shipped_specs() == installed


def test_an_installation_without_them_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciler, "__file__", str(tmp_path / "reconciler/__init__.py"))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    with pytest.raises(Failed, match=r"the shipped specs are not in .*; install the software again"):
        shipped_specs()


def test_the_realms_id_is_the_only_thing_that_init_changes() -> None:
    made = dict(contents("my-lab"))
    shipped = dict(spec_files(shipped_specs()))
    differing = [path for path, content in shipped.items() if made[f"specs/{path}"] != content]
    assert differing == ["realm.yaml"]
    assert made["specs/realm.yaml"].splitlines()[1] == b"id: my-lab"
