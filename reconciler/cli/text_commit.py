"""A commit on the specs as text: its diff, what was committed where, what comes next. Pure."""

from shlex import quote
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import PLAIN, Paint, safe

if TYPE_CHECKING:
    from reconciler.app.committing.spec_edits import SpecCommit

_MEANINGS = {"+": "new", "-": "gone", "@": "dim"}


def commit_text(made: "SpecCommit", paint: Paint = PLAIN) -> str:
    """Return the diff and one line that says what was done with it."""
    return f"{_diff(made.diff, paint)}\n\n{paint(_done(made), 'strong')}"


def next_steps(made: "SpecCommit") -> list[str]:
    """Return what a person should know, and would do now."""
    lines = list(made.notes)
    if made.is_identity_made_up:
        lines.append(f"git does not know your name, so this commit is by {safe(made.committed_as)}")
    if made.commit is None:
        return lines
    branch = safe(made.branch)
    if made.is_new_branch:
        lines.append(f"See what merging it would do:  reconcile plan {quote(branch)}")
    elif made.followed_elsewhere is not None:
        follows = f"{safe(made.follows)} of {safe(made.followed_elsewhere)}"
        lines.append("See what it would do:  reconcile plan")
        lines.append(f"Apply follows {follows}, which has it once it is there:  {_bringing(made)}")
    elif made.follows not in (None, made.branch):
        lines.append(f"Apply follows {safe(made.follows)}, not {branch}: merge it there")
    else:
        lines.append("See what it would do:  reconcile plan        Do it:  reconcile apply")
    return lines


def _bringing(made: "SpecCommit") -> str:
    """Return how a commit comes to the branch of another repository that apply follows."""
    return "git push" if made.follows == made.branch else "merge it, then git push"


def _diff(diff: str, paint: Paint) -> str:
    lines = (safe(line) for line in diff.rstrip("\n").split("\n"))
    return "\n".join(paint(line, _MEANINGS.get(line[:1], "")) for line in lines)


def _done(made: "SpecCommit") -> str:
    subject = safe(made.message.partition("\n")[0])
    if made.commit is None:
        return f"Not committed (--dry-run): {subject}."
    where = f"the new branch {safe(made.branch)}" if made.is_new_branch else safe(made.branch)
    return f"Committed {made.commit[:7]} on {where}: {subject}."
