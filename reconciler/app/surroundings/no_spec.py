"""A name that no spec of the commit has: what a person made a moment ago is not committed yet."""

from collections.abc import Collection, Iterable

from reconciler.app.surroundings.errors import NotFound
from reconciler.app.surroundings.ground import not_found

_FILES = {
    "hero": "specs/heroes/{}.yaml",
    "campaign": "specs/campaigns/{}.yaml",
    "spec of a campaign": "specs/campaigns/{}.yaml",
    "skill": "specs/skills/{}.yaml",
    "dataset": "specs/datasets/{}.yaml",
}
_QUEUE = "specs/queue.yaml"


def no_spec(kind: str, name: str, known: Iterable[str], uncommitted: Collection[str]) -> NotFound:
    """Return the error for a name of this kind that no spec of the commit has.

    `uncommitted` holds the paths of the specs that are not in the work tree as they are in the commit.
    """
    error = not_found(kind, name, known)
    file = _FILES.get(kind, "").format(name)
    if file in uncommitted:
        return NotFound(
            f'there is no {kind} "{name}" in the commit: {file} is not committed; '
            f"git add {file} && git commit, then again"
        )
    if kind == "quest" and _QUEUE in uncommitted:
        return NotFound(f"{error}. {_QUEUE} has edits that are not committed")
    return error
