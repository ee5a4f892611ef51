"""`<file>.jsonl.meta.json`: which generator made a file of rows, with what, and what has looked through it.

Written beside every content that a skill made. The names are those of older systems, whose sidecars beside a
person's own file are read, too; a sidecar of their other shape names a schema and no generator.
"""

from typing import Any

import msgspec

SUFFIX = ".meta.json"


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows come from."""

    generator_id: str | None = None
    generator_version: str | None = None
    """None: nobody knows."""
    generated_at: str | None = None
    example_count: int | None = None
    params: dict[str, Any] = {}
    """What the generator was asked for."""
    validator_versions: dict[str, Any] = {}
    """Who has looked through the rows before they were kept → its version."""
    schema_id: str | None = None
    """Older: the dataset that the rows are of."""


def lineage_text(one: Lineage) -> str:
    """Return `bin 3 (v1.2), 2026-01-31T12:00:00Z; count 4000, level 1; checked by inspection, version 6`."""
    maker = one.generator_id or one.schema_id or "unknown"
    version = f" ({one.generator_version})" if one.generator_version else ", version unknown"
    parts = [maker + (version if one.generator_id else "")]
    parts += [one.generated_at] if one.generated_at else []
    made = ", ".join(parts)
    asked = ", ".join(f"{name} {value}" for name, value in sorted(one.params.items()))
    checked = ", ".join(f"{name}, version {value}" for name, value in sorted(one.validator_versions.items()))
    told = [made, asked, f"checked by {checked}" if checked else "checked by nobody that is known"]
    return "; ".join(text for text in told if text)
