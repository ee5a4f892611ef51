"""The JSON Schema of each kind, for editors; `schemas/` holds what this makes.

Called by `reconcile schema`, by `make check` (which fails when the files differ) and by tests.
"""

import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.desired.kinds import KINDS, Kind
from reconciler.desired.validation import NULLABLE

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(kind: Kind) -> dict[str, Any]:
    """Return the schema of one kind, with the sentences of its fields."""
    from reconciler.desired.models import model_of  # pydantic: 0.2 s, only for this command

    model = model_of(kind.type, is_described=True)
    made = model.model_json_schema(by_alias=True)
    _describe(made, model)
    schema: dict[str, Any] = {"$schema": DIALECT, "title": f"{kind.name}: specs/{kind.place}"}
    tidy: dict[str, Any] = _tidied(made, key="")
    return schema | tidy


def schemas() -> dict[str, str]:
    """Return file name → content for all kinds."""
    return {f"{kind.name}.schema.json": _text(schema_of(kind)) for kind in KINDS}


def write(folder: Path) -> tuple[Path, ...]:
    """Write all schemas into a folder and return the files that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in schemas().items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed.append(file)
    return tuple(changed)


def _describe(schema: dict[str, Any], model: Any) -> None:
    """Put in the sentence of a field that refers to a record and has a default: pydantic drops it."""
    for info in (named := dict(model.model_fields)).values():
        for inner in _models_in(info.annotation):
            _describe(schema | schema["$defs"][inner.__name__], inner)
    for name, info in named.items():
        schema["properties"][info.alias or name].setdefault("description", info.description)


def _models_in(annotation: Any) -> Iterator[Any]:
    """Yield the models that a type names, in whatever it is wrapped."""
    if hasattr(annotation, "model_fields"):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_in(inner)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _tidied(node: Any, key: str) -> Any:
    """Drop titles of fields, which an editor would show, and null where no spec may say it."""
    if isinstance(node, list):
        return [_tidied(one, key) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {name: one for name, one in node.items() if not (name == "title" and isinstance(one, str))}
    tidy = {name: _tidied(one, name) for name, one in kept.items()}
    if tidy.get("default", ...) is None:
        del tidy["default"]
    if "anyOf" in tidy and not any(path.endswith(f".{key}") for path in NULLABLE):
        members = [one for one in tidy.pop("anyOf") if one != {"type": "null"}]
        tidy = {**(members[0] if len(members) == 1 else {"anyOf": members}), **tidy}
    return tidy
