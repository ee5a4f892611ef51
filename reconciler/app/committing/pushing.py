"""A branch brought to a remote: only where there is none of its name, and read back to see that it landed."""

from pathlib import Path
from shlex import quote

from reconciler.app.surroundings.errors import Blocked, Failed, NotFound
from reconciler.desired.git_network import last_line, run_over_network, why_refused
from reconciler.desired.git_process import run
from reconciler.desired.mistakes import nearest_name


def known_remote(top: Path, name: str) -> str:
    """Return the name of a remote that the repository knows.

    Raises:
        NotFound: it knows no such remote; names those that it knows.
    """
    known = run(top, "remote").stdout.decode("utf-8", "replace").split()
    if name in known:
        return name
    near = nearest_name(name, known)
    meant = f'; did you mean "{near}"?' if near else ""
    raise NotFound(f'{top}: there is no remote "{name}"; remotes: {", ".join(known) or "none"}{meant}')


def refuse_taken(top: Path, remote: str, branch: str) -> None:
    """Refuse a branch that the remote has already.

    Raises:
        Blocked: it has.
        Failed: it cannot be read.
    """
    if (there := _remote_commit(top, remote, f"refs/heads/{branch}")) is not None:
        raise Blocked(
            f"{remote} has a branch {branch} already, at {there[:7]}; choose another: --branch NAME"
        )


def push_new_branch(top: Path, remote: str, branch: str, commit: str) -> None:
    """Push a commit as a new branch, and look whether it is there.

    Raises:
        Failed: it cannot be reached, refuses, or does not have it afterwards; the local branch stays.
    """
    ref = f"refs/heads/{branch}"
    done = run_over_network(
        top, "push", "--porcelain", f"--force-with-lease={ref}:", remote, f"{commit}:{ref}"
    )
    if done.returncode != 0:
        raise Failed(
            f"{remote} did not take {branch}: {why_refused(done)}\n"
            f"The commit is on the local branch {branch}. Once {remote} would take it: "
            f"git push {quote(remote)} {quote(branch)}; to propose anew: git branch -D {quote(branch)}"
        )
    if (there := _remote_commit(top, remote, ref)) != commit:
        raise Failed(f"{remote} says that {branch} is at {(there or 'no commit')[:9]}, not at {commit[:7]}")


def _remote_commit(top: Path, remote: str, ref: str) -> str | None:
    """Return the commit that a remote has under a ref; None: it has none."""
    done = run_over_network(top, "ls-remote", remote, ref)
    if done.returncode != 0:
        raise Failed(f"{remote} cannot be read: {last_line(done.stderr)}")
    return next((line.split()[0] for line in done.stdout.decode().splitlines() if line.endswith(ref)), None)
