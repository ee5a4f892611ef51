"""The schemas are what the records say, and the shipped specs keep to them."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from reconciler.desired import json_schema, kinds
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.worktree import read_worktree
from reconciler.desired.yaml_nodes import parse

SHIPPED = Path(__file__).resolve().parents[3] / "specs"


def shipped_files() -> list[Path]:
    return sorted(SHIPPED.rglob("*.yaml"))


def kind_of(file: Path) -> kinds.Kind:
    copied = str(file.relative_to(SHIPPED)).replace("campaigns/_", "campaigns/pip/")
    placed = kinds.place_of(f"specs/{copied}".replace("_template", "template"))
    assert placed is not None
    return placed.kind


def test_the_schemas_are_up_to_date(checkout) -> None:
    made = json_schema.schemas()
    on_disk = {name: (checkout / "schemas" / name).read_text(encoding="utf-8") for name in made}
    assert on_disk == made, "run: reconcile schema --out schemas"


def test_writing_again_changes_nothing(tmp_path) -> None:
    assert len(json_schema.write(tmp_path)) == len(kinds.KINDS)
    assert json_schema.write(tmp_path) == ()


@pytest.mark.parametrize("file", shipped_files(), ids=lambda file: str(file.relative_to(SHIPPED)))
def test_a_shipped_spec_keeps_to_its_schema_and_points_to_it(file) -> None:
    kind = kind_of(file)
    validator = jsonschema.Draft202012Validator(json_schema.schema_of(kind))
    document = parse(file.read_bytes())
    assert document.findings == []
    assert [error.message for error in validator.iter_errors(document.values)] == []
    modeline = file.read_text(encoding="utf-8").splitlines()[0]
    target = modeline.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / target).resolve() == SHIPPED.parent / "schemas" / f"{kind.name}.schema.json"


def test_the_shipped_specs_load() -> None:
    desired = load(read_worktree(SHIPPED.parent), NoCache())
    assert list(desired.campaigns) == ["tiny-adamw/campaign-001", "tiny-muon/campaign-001"]
    assert desired.realm.spec.active == "tiny-adamw/campaign-001"
    assert [quest.for_ for quest in desired.quests] == [
        ("tiny-adamw/campaign-001",),
        ("tiny-muon/campaign-001",),
    ]


def test_the_hero_template_is_a_hero_and_names_every_field() -> None:
    text = (SHIPPED / "heroes/_template.yaml").read_text(encoding="utf-8")
    older = {"qlora", "trainer", "idle_behavior", "locked", "memory_profile", "suspend"}
    for field in kinds.HERO.type.__struct_fields__:
        assert f"\n{field}:" in text or (field in older and field in text)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_every_field_of_every_schema_is_described(kind) -> None:
    def bare(schema: dict, name: str) -> list[str]:
        found = [
            f"{name}.{key}" for key, one in schema.get("properties", {}).items() if "description" not in one
        ]
        return found + [one for inner in schema.get("$defs", {}).items() for one in bare(inner[1], inner[0])]

    assert bare(json_schema.schema_of(kind), kind.name) == []


TEMPLATES = sorted(SHIPPED.rglob("_template.yaml"))
OLDER = ("Older", "The older", "An older")
"""How the sentence of a key begins that is only read for the sake of older files."""


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.parent.name)
def test_a_template_teaches_every_field_that_is_not_an_older_one(file) -> None:
    text = file.read_text(encoding="utf-8")
    fields = json_schema.schema_of(kind_of(file))["properties"]
    newer = [name for name, one in fields.items() if not one["description"].startswith(OLDER)]
    assert [name for name in newer if not re.search(rf"(^|[\s{{#,]){re.escape(name)}:", text)] == []


def test_a_schema_refuses_what_the_loader_refuses() -> None:
    validator = jsonschema.Draft202012Validator(json_schema.schema_of(kinds.REALM))
    wrong = [
        {},
        {"id": "Lab"},
        {"id": "lab", "aktive": "a/b"},
        {"id": "lab", "active": None},
        {"id": "lab", "apply": {"interval": 15}},
    ]
    assert [validator.is_valid(one) for one in wrong] == [False] * 5
    assert json.loads(json.dumps(validator.schema)) == validator.schema
