"""The sidecar of what a skill made: generator, version, parameters, and who has looked through it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from reconciler.act.tools import Tools
from reconciler.plan.actions import GenerateQuest
from reconciler.provenance import ProvenanceUnknown
from state.atomic import write_json
from state.contract.lineage import Lineage

_OURS = ("python", "-m", "trainer")


def write_lineage(
    action: GenerateQuest, tools: Tools, digest: str, num_rows: int, validators: Mapping[str, int]
) -> None:
    """Write beside a content which generator made it; what lies there stays: it says who was first."""
    place = tools.layout.lineage(digest)
    if place.exists():
        return
    write_json(
        place,
        Lineage(
            generator_id=action.skill,
            generator_version=action.version or _our_version(action, tools),
            generated_at=tools.now(),
            example_count=num_rows,
            params=_params(action.command),
            validator_versions=dict(validators),
        ),
    )


def _our_version(action: GenerateQuest, tools: Tools) -> str | None:
    """Return the version of this software, where its own generator made the rows."""
    try:
        return str(tools.code_version()) if action.command[:3] == _OURS else None
    except ProvenanceUnknown:
        return None


def _params(command: Sequence[str]) -> dict[str, Any]:
    """Return what a command was asked for: the values of its flags."""
    given = pairwise(command)
    flags = {name.removeprefix("--"): value for name, value in given if name.startswith("--")}
    return {name: int(value) if value.isdecimal() else value for name, value in flags.items()}
