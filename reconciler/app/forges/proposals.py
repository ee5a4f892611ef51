"""`proposals`: every branch that has something for the one that apply follows, its plan, what is against it.

Looks only: nothing is fetched, merged or written.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from reconciler.app.committing.merging import conflicts
from reconciler.app.forges.plan_range import document_beyond
from reconciler.app.planning.look import View, load_commit, look
from reconciler.app.planning.plan_document import PlanDocument
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import VerbError
from reconciler.app.surroundings.place import Options, head_of, read_following, root_of
from reconciler.desired.git_process import SourceError, run
from reconciler.desired.git_source import ahead_behind
from reconciler.desired.mistakes import SpecMistakesError
from state.layout import Layout

MOST = 20
_FIELDS = "%(refname)%00%(objectname)%00%(committerdate:iso-strict)%00%(authorname)%00%(subject)"
_REMOTES, _HEADS = "refs/remotes/", "refs/heads/"

State = Literal["ready", "nothing to do", "blocked", "needs approval", "mistakes", "conflicts"]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One branch."""

    branch: str
    commit: str
    subject: str
    """Of its newest commit."""
    author: str
    committed_at: str
    ahead: int
    """Commits that the followed branch does not have."""
    behind: int
    """Commits of the followed branch that it does not have."""
    state: State
    reason: str
    """Why it cannot simply be merged; empty when it can."""
    plan: PlanDocument | None
    """What it adds to the plan of the followed branch; null where its specs cannot be read."""


class Proposals(msgspec.Struct, frozen=True, kw_only=True):
    """Every branch ahead of the followed one, the newest first."""

    schema_version: int = 1
    base: str
    """For people: the followed branch and its short id."""
    base_commit: str
    items: tuple[Proposal, ...]
    num_left_out: int = 0
    """More branches than are looked at."""


def proposals(environment: Environment, options: Options) -> Proposals:
    """Return the branches ahead of the followed one (before the first apply: of the one checked out).

    Raises:
        SourceError: no repository, no commit.
        SpecMistakesError: the followed branch itself has mistakes.
    """
    base = look(environment, options, ref=_followed(environment, options))
    branches = list(_branches(base))
    return Proposals(
        base=base.commit.name,
        base_commit=base.commit.id,
        items=tuple(_proposal(environment, options, base, fields) for fields in branches[:MOST]),
        num_left_out=max(0, len(branches) - MOST),
    )


def _followed(environment: Environment, options: Options) -> str:
    head = head_of(environment, options)
    realm = load_commit(environment, head).realm.spec
    following = read_following(Layout(root_of(environment, options, realm, head)))
    here = head.top or head.git_dir
    is_here = following is not None and Path(following.repository) == here
    return f"{_HEADS}{following.branch}" if following is not None and is_here else "HEAD"


def _branches(base: View) -> Iterator[tuple[str, ...]]:
    """Yield name, commit, time, author and subject of each branch that has commits of its own."""
    done = run(
        base.commit.git_dir, "for-each-ref", f"--format={_FIELDS}", "--sort=-committerdate",
        f"--no-merged={base.commit.id}", _HEADS, _REMOTES,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise SourceError(f"{base.commit.git_dir}: git cannot list the branches: {said}")
    seen: set[str] = set()
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    found = [tuple(line.split("\0")) for line in lines]
    for fields in sorted(found, key=lambda one: one[0].startswith(_REMOTES)):  # stable: the newest first
        if not fields[0].endswith("/HEAD") and fields[1] not in seen:
            seen.add(fields[1])
            yield fields


def _proposal(environment: Environment, options: Options, base: View, fields: tuple[str, ...]) -> Proposal:
    ref, commit, at, author, subject = fields
    ahead, behind = ahead_behind(base.commit.git_dir, base.commit.id, commit)
    state, reason, document = _judged(environment, options, base, ref)
    return Proposal(
        branch=ref.removeprefix(_HEADS).removeprefix(_REMOTES),
        commit=commit,
        subject=subject,
        author=author,
        committed_at=at,
        ahead=ahead,
        behind=behind,
        state=state,
        reason=reason,
        plan=document,
    )


def _judged(
    environment: Environment, options: Options, base: View, ref: str
) -> tuple[State, str, PlanDocument | None]:
    try:
        tip = look(environment, options, ref=ref)
    except (SpecMistakesError, SourceError, VerbError) as error:
        return "mistakes", str(error).splitlines()[0], None
    document = document_beyond(base, tip, tip.commit.name, base.commit.name)
    if files := conflicts(base.commit, tip.commit):
        return "conflicts", f"both sides edited the same lines: {', '.join(files)}", document
    if document.blocked:
        return "blocked", document.blocked[0].message, document
    if document.awaiting is not None:
        return "needs approval", document.awaiting.why, document
    return ("ready" if document.changes else "nothing to do"), "", document
