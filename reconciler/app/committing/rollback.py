"""`rollback`: a commit that takes back what an earlier commit did to the specs, with a reason.

Of a merge it takes back what the merge brought to its branch. A spec that was edited since is merged line by
line; where that is not possible, nothing is committed. Files that are no specs stay, and are named.
A rollback is recognized by its subject. It is taken back only where it is named, and never without a word:
the commit that it took back is in force again then.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from reconciler.app.committing.merging import SpecChange, changes_between, merged
from reconciler.app.committing.spec_edits import Base, Committing, SpecCommit, commit_edits, read_base
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused
from reconciler.app.surroundings.place import Options, repository_of
from reconciler.desired.git_process import run
from reconciler.desired.git_source import Commit, ahead_behind, resolve

_SUBJECT = re.compile(r"Roll back ([0-9a-f]{7}): ", re.ASCII)


def rollback(
    environment: Environment, options: Options, named: str | None, committing: Committing
) -> SpecCommit:
    """Commit the specs as they would be without what one commit did to them; None: the newest one.

    Raises:
        UnknownRefError: no such commit.
        Misused: it is no part of what is checked out, or the first commit, or no reason is given.
        Blocked: it changed no spec; or later edits stand in the same lines; or nothing would change; or none
            was named and the newest is a rollback itself.
        SpecMistakesError: without it the specs would have mistakes.
    """
    if not (committing.why or "").strip():
        raise Misused("a rollback needs its reason: --why TEXT")
    ref = "HEAD" if named is None else named
    base = read_base(environment, options)
    target = resolve(repository_of(environment, options), ref)
    if ahead_behind(target.git_dir, base.commit.id, target.id)[0]:
        raise Misused(
            f"{ref} ({target.id[:7]}) is no part of {base.commit.name}: there is nothing to take back"
        )
    subject = _subject_of(target)
    again = _taken_back_by(subject)
    if again is not None and named is None:
        raise Blocked(_already(target, again))
    found = tuple(_changes_of(target, ref))
    changes = tuple(change for change in found if change.path.endswith(".yaml"))
    others = [change.path for change in found if change not in changes]
    if not changes:
        raise Blocked(f"{ref} ({target.id[:7]}) changed no spec; nothing to take back")
    texts = _without(base, changes)
    if all(base.texts.get(path) == text for path, text in texts.items()):
        raise Blocked(f"what {ref} ({target.id[:7]}) did is taken back already; nothing to commit")
    notes = (f"Left as they are, being no specs: {', '.join(others)}",) if others else ()
    if again is not None:
        notes = (f"{target.id[:7]} is a rollback: without it, what {again} did is in force again", *notes)
    subject = f"Roll back {target.id[:7]}: {subject}"
    return commit_edits(environment, options, base, texts, subject, committing, notes)


def _taken_back_by(subject: str) -> str | None:
    """Return which commit a rollback with this subject took back; None: it is the subject of no rollback."""
    found = _SUBJECT.match(subject)
    return found[1] if found else None


def _already(newest: Commit, taken_back: str) -> str:
    short = newest.id[:7]
    return (
        f"the newest commit ({short}) is the rollback of {taken_back}, so nothing was changed; name the "
        f"commit that is to be taken back, or bring {taken_back} back: reconcile rollback {short} --why TEXT"
    )


def _changes_of(target: Commit, ref: str) -> Iterator[SpecChange]:
    parent = run(target.git_dir, "rev-parse", "--verify", "-q", f"{target.id}^1").stdout.decode().strip()
    if not parent:
        raise Misused(f"{ref} ({target.id[:7]}) is the first commit: without it there are no specs")
    return changes_between(target.git_dir, parent, target.id)


def _without(base: Base, changes: Sequence[SpecChange]) -> Mapping[str, str | None]:
    """Return each spec as it is without its change; None: it goes."""
    texts: dict[str, str | None] = {}
    edited = []
    for change in changes:
        now = base.texts.get(change.path)
        found, is_clean = merged(None if now is None else now.encode(), change.after, change.before)
        texts[change.path] = None if found is None else found.decode("utf-8", "replace")
        if not is_clean:
            edited.append(change.path)
    if edited:
        raise Blocked(
            f"{', '.join(edited)}: edited since in the same lines, so nothing was changed; take it back "
            "by hand, or roll back the later commit first (git log -- FILE)"
        )
    return texts


def _subject_of(commit: Commit) -> str:
    said = run(commit.git_dir, "log", "-1", "--format=%s", commit.id, "--").stdout.decode("utf-8", "replace")
    return "".join(char for char in said.strip() if char.isprintable())
