"""The specs that come with the software."""

import re
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

import reconciler
from reconciler.app.committing.init import contents
from reconciler.app.surroundings.errors import Failed
from reconciler.app.surroundings.shipped import shipped_specs, spec_files
from reconciler.desired.campaign import Campaign
from reconciler.desired.skill import Skill


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


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("campaigns", Campaign), ("skills", Skill)],
)
def test_each_field_of_a_kind_stands_in_its_template(folder: str, kind: type[msgspec.Struct]) -> None:
    text = (shipped_specs() / folder / "_template.yaml").read_text()
    absent = [field for field in kind.__struct_fields__ if not re.search(rf"\b{field}\b", text)]
    assert absent == []


@pytest.mark.parametrize(("folder", "kind"), [("campaigns", Campaign), ("skills", Skill)])
def test_a_template_has_no_mistakes_and_a_comment_on_what_it_says(
    folder: str, kind: type[msgspec.Struct]
) -> None:
    text = (shipped_specs() / folder / "_template.yaml").read_text()
    assert kind_of_template(text, kind) is not None
    assert all("#" in line for line in text.splitlines() if "state:" in line or "goal:" in line)


def kind_of_template(text: str, kind: type[msgspec.Struct]) -> object:
    """Return the spec that a template is when it is copied as it stands."""
    return msgspec.convert(YAML(typ="base").load(text), kind, strict=False)
