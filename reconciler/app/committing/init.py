"""`init`: a specs repository that works as it is, with one commit."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote

import msgspec

from reconciler.app.committing.commits import identity_of, without_git_variables
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, Misused
from reconciler.app.surroundings.shipped import shipped_specs, spec_files
from reconciler.desired.base import ID_WORDS
from state.ids import is_id

BRANCH = "main"
MESSAGE = "A realm with two tiny heroes"
_REALM_ID = re.compile(rb"^id: [^\s#]+", re.MULTILINE)
_MOST_NAMES = 5

README = """\
# {realm}

What this realm trains, as files. `reconcile plan` shows what a commit would change, `reconcile apply` does
it.

    reconcile plan
    reconcile apply --until-converged
    reconcile status

`specs/README.md` says what each file is for. To switch heroes, change `active` in `specs/realm.yaml` and
commit.
`schemas/` gives completion and checks in an editor; `reconcile schema --out schemas` makes it anew.
Checkpoints, logs and state never lie here: `reconcile doctor` shows where the realm's root is.
"""
GITIGNORE = """\
# Data and weights do not belong into git; quests may point to files outside.
/data/
*.safetensors
*.swp
.DS_Store
"""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that was made."""

    schema_version: int = 1
    folder: str
    realm: str
    commit: str
    committed_as: str
    is_identity_made_up: bool
    """git knows no name and address of this user, so the commit has the login name."""


def init(environment: Environment, folder: Path, realm: str | None = None) -> Made:
    """Make the folder, fill it and commit it.

    Raises:
        Blocked: something is in the folder already.
        Misused: the name is no id.
        Failed: git is not there, or the folder cannot be written.
    """
    top = (environment.cwd / folder).resolve()
    name = _realm_id(top, realm)
    _check_empty(top)
    return make_repository(environment, top, name, dict(contents(name)), MESSAGE)


def make_repository(
    environment: Environment, top: Path, realm: str, specs: Mapping[str, bytes], message: str
) -> Made:
    """Make a specs repository with one commit: these specs, the schemas, a README.

    Raises:
        Failed: git is not there, or the folder cannot be written.
    """
    beside = {"README.md": README.format(realm=realm).encode(), ".gitignore": GITIGNORE.encode()}
    try:
        top.mkdir(parents=True, exist_ok=True)
        for path, content in {**specs, **beside}.items():
            file = top / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        _write_schemas(top / "schemas")
    except OSError as error:
        raise Failed(f"{error.filename or top}: {error.strerror}; choose another folder") from error
    return _commit(environment, top, realm, message)


def contents(realm: str) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every shipped spec."""
    for path, content in spec_files(shipped_specs()):
        named = _REALM_ID.sub(f"id: {realm}".encode(), content, count=1) if path == "realm.yaml" else content
        yield f"specs/{path}", named


def _realm_id(top: Path, given: str | None) -> str:
    name = given if given is not None else top.name
    if not is_id(name):
        hint = "give another --id" if given is not None else f"reconcile init {quote(str(top))} --id NAME"
        raise Misused(f'"{name}" cannot be the id of a realm; expected {ID_WORDS}; {hint}')
    return name


def _check_empty(top: Path) -> None:
    if not os.path.lexists(top):
        return
    if not top.is_dir():
        raise Blocked(f"{top} is no folder; nothing was written")
    found = sorted(entry.name for entry in top.iterdir())
    if found:
        more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
        raise Blocked(
            f"{top} is not empty (it holds {', '.join(found[:_MOST_NAMES])}{more}); nothing was written; "
            "choose a new folder"
        )


def _write_schemas(folder: Path) -> None:
    from reconciler.desired.json_schema import write  # pydantic: 0.2 s, only here

    write(folder)


def _commit(environment: Environment, top: Path, realm: str, message: str) -> Made:
    """Make the repository and its first commit; hooks of the user's template are not run."""
    from git import Actor, GitError

    from reconciler.app.committing.repositories import LiteralRepo

    try:
        with without_git_variables(), LiteralRepo.made_in(top, BRANCH) as repository:
            identity = identity_of(environment, repository)
            who = Actor(identity.name, identity.email)
            repository.index.add(["specs", "schemas", "README.md", ".gitignore"])
            commit = repository.index.commit(message, author=who, committer=who, skip_hooks=True)
            return Made(
                folder=str(top),
                realm=realm,
                commit=commit.hexsha,
                committed_as=f"{identity.name} <{identity.email}>",
                is_identity_made_up=identity.is_made_up,
            )
    except GitError as error:
        raise Failed(f"{top}: git could not make the repository: {error}") from error
