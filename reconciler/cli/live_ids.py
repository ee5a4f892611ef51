"""The ids that a shell completes, found by looking at names of files alone.

Called by `__main__` before anything else is imported: a person waits for it at every press of a key. So it
parses no spec, opens no store and starts no process; what it misses is not completed, and nothing else.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_CAMPAIGNS, _HEROES, _QUESTS = "campaigns", "heroes", "quests"
_CHECKPOINTS, _BRANCHES, _THINGS = "checkpoints", "branches", "things"
_BY_KIND = {
    _CAMPAIGNS: ("pause", "resume", "stop", "logs", "history", "archive", "restore", "rewind"),
    _HEROES: ("start-over",),
    _QUESTS: ("skip", "retry"),
    _CHECKPOINTS: ("try", "prove", "replay", "undelete", "export"),
    _BRANCHES: ("plan",),
    _THINGS: ("explain", "diff", "wait", "events", "suspend", "unsuspend", "propose"),
}
KINDS = {verb: kind for kind, verbs in _BY_KIND.items() for verb in verbs}
"""Verb → what its arguments are."""
_NAME = re.compile(r"[A-Za-z0-9._/@:-]+")
_QUEST = re.compile(r"^\s*(?:-\s*)?\{?\s*id:\s*[\"']?([A-Za-z0-9._-]+)", re.MULTILINE)
_ROOT_LINE = re.compile(r"^root:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
_REALM_LINE = re.compile(r"^id:\s*[\"']?([A-Za-z0-9._-]+)", re.MULTILINE)
_CONFIG_ROOT = re.compile(r"^\[realm\][^\[]*?^\s*root\s*=\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_WITH_VALUE = ("--repo", "--root", "--host")
_MOST_BYTES = 1 << 20


def print_ids(words: Sequence[str]) -> None:
    """Print one candidate a line: `words` are what is completed, then the command line before it."""
    current, before = (words[0] if words else ""), list(words[1:])
    found = sorted({name for name in candidates(current, before) if name.startswith(current)})
    sys.stdout.write("".join(f"{name}\n" for name in found if _NAME.fullmatch(name)))


def candidates(current: str, before: Sequence[str]) -> Iterator[str]:
    """Yield what may stand there; nothing where that is not known."""
    given, verb = _understood(before)
    top = _top(Path(given.get("--repo") or os.environ.get("REALM_REPO") or Path.cwd()))
    if verb is None or verb not in KINDS or top is None:
        return
    kind, specs = KINDS[verb], top / "specs"
    if kind == _BRANCHES:
        yield from _branches(top / ".git")
    if kind in (_HEROES, _THINGS):
        yield from _stems(specs / "heroes")
    if kind in (_QUESTS, _THINGS):
        yield from _QUEST.findall(_text(specs / "queue.yaml"))
    if kind in (_CAMPAIGNS, _THINGS, _CHECKPOINTS):
        root = _root(given, top, specs)
        yield from _campaigns(specs, root)
        if "@" in current:
            yield from _checkpoints(root, current.partition("@")[0])


def _understood(words: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """Return the options that say where things are, and the verb."""
    given, rest, coming = dict[str, str](), list[str](), iter(words)
    for word in coming:
        name, _, value = word.partition("=")
        if name in _WITH_VALUE:
            given[name] = value or next(coming, "")
        elif not word.startswith("-"):
            rest.append(word)
    return given, (rest[0] if rest else None)


def _top(folder: Path) -> Path | None:
    for one in (folder.absolute(), *folder.absolute().parents):
        if (one / "specs" / "realm.yaml").is_file():
            return one
    return None


def _root(given: dict[str, str], top: Path, specs: Path) -> Path:
    """Return the realm's root by the same words as every command, as far as files tell."""
    realm = _text(specs / "realm.yaml")
    said = given.get("--root") or os.environ.get("REALM_ROOT")
    for pattern, text in ((_ROOT_LINE, realm), (_CONFIG_ROOT, _text(top / ".git" / "config"))):
        if not said and (match := pattern.search(text)):
            said = match[1]
    if said:
        return Path(said).expanduser()
    name = match[1] if (match := _REALM_LINE.search(realm)) else ""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "realm" / name


def _campaigns(specs: Path, root: Path) -> Iterator[str]:
    for hero in _names(specs / "campaigns"):
        yield from (f"{hero}/{name}" for name in _stems(specs / "campaigns" / hero))
    for hero in _names(root / "campaigns"):
        if hero not in ("active", "archive"):
            yield from (f"{hero}/{name}" for name in _names(root / "campaigns" / hero))


def _checkpoints(root: Path, campaign: str) -> Iterator[str]:
    yield from (f"{campaign}@{word}" for word in ("best", "latest"))
    for name in _names(root / "campaigns" / campaign / "checkpoints"):
        if name.startswith("checkpoint-"):
            yield f"{campaign}@{name.removeprefix('checkpoint-')}"


def _branches(git: Path) -> Iterator[str]:
    heads = git / "refs" / "heads"
    for folder, _, files in os.walk(heads):
        yield from (str((Path(folder) / name).relative_to(heads)) for name in files)
    for line in _text(git / "packed-refs").splitlines():
        _, _, ref = line.partition(" refs/heads/")
        if ref:
            yield ref


def _stems(folder: Path) -> Iterator[str]:
    return (
        name.removesuffix(".yaml")
        for name in _names(folder)
        if name.endswith(".yaml") and not name.startswith("_")
    )


def _names(folder: Path) -> list[str]:
    try:
        return [one.name for one in folder.iterdir() if not one.name.startswith(".")]
    except OSError:
        return []


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
