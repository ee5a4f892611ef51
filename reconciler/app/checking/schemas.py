"""`schema`: the JSON Schemas of the kinds of spec, of what `plan --json` prints and `plan --out` writes."""

import json
from pathlib import Path
from typing import Any

from reconciler.app.surroundings.errors import NotFound
from reconciler.desired.kinds import KINDS
from reconciler.desired.mistakes import nearest_name

PLAN, SAVED_PLAN = "plan", "saved-plan"


def names() -> tuple[str, ...]:
    """Return what there are schemas of."""
    return (*(kind.name for kind in KINDS), PLAN, SAVED_PLAN)


def schema_of(name: str) -> dict[str, Any]:
    """Return one schema.

    Raises:
        NotFound: there is none of this name.
    """
    if name == PLAN:
        from reconciler.app.planning.plan_document import plan_schema

        return plan_schema()
    if name == SAVED_PLAN:
        from reconciler.plan.review.saved import saved_plan_schema

        return saved_plan_schema()
    from reconciler.desired import json_schema

    for kind in KINDS:
        if kind.name == name:
            return json_schema.schema_of(kind)
    near = nearest_name(name, names())
    meant = f'; did you mean "{near}"?' if near else ""
    raise NotFound(f'there is no schema of "{name}"; known: {", ".join(names())}{meant}')


def schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by its name."""
    return {name: schema_of(name) for name in names()}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write all schemas into a folder and return the files that changed."""
    from reconciler.desired import json_schema

    changed = list(json_schema.write(folder))
    for name in (PLAN, SAVED_PLAN):
        file = folder / f"{name}.schema.json"
        text = json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed.append(file)
    return tuple(changed)
