"""A repository elsewhere, as tests write to it."""

import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, texts: dict[str, str | bytes | None]) -> str:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Specs", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def with_commits(folder: Path, number_of: int) -> Path:
    """Make a repository with so many commits of one tree on main, and return it."""
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    stream = [b"blob\nmark :1\ndata 8\nid: lab\n\n"]
    for number in range(number_of):
        comes_from = f"from :{number + 1}\n" if number else ""
        stream.append(
            f"commit refs/heads/main\nmark :{number + 2}\ncommitter A <a@b> {1_700_000_000 + number} +0000\n"
            f"data 1\nx\n{comes_from}M 100644 :1 specs/realm.yaml\n\n".encode()
        )
    content = b"".join(stream)
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=content, check=True)
    return folder


def commit_on_bare(repository: Path) -> str:
    """Put one commit of the same tree on main and return its id."""
    tree = git(repository, "rev-parse", "main^{tree}")
    made = git(repository, "commit-tree", tree, "-p", "main", "-m", "one more")
    git(repository, "update-ref", "refs/heads/main", made)
    return made
