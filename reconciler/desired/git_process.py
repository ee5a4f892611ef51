"""git as a subprocess, told to leave everything alone: no hooks, prompts, locks, network."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.untrackedCache=false", "gc.auto=0")
_TIMEOUT_SECONDS = 60.0


class SourceError(Exception):
    """The specs cannot be read at all; the text says why and what to do, in one line whatever paths hold."""

    def __init__(self, text: str) -> None:
        escaped = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
        super().__init__("".join(escaped))


class NoRepositoryError(SourceError):
    """The folder is in no git repository."""


class NoCommitYetError(SourceError):
    """The repository, or the branch asked for, has no commit."""


class UnknownRefError(SourceError):
    """Nothing of this name, or no commit under it."""


class ExhaustedError(SourceError):
    """This machine had no memory or no open file left to read them with: that is no mistake of the specs."""


def run(repository: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run git and return what it said, whatever its exit status.

    Raises:
        SourceError: there is no git, or it did not answer within a minute.
    """
    import subprocess  # a look at known specs asks git nothing

    command = _command(repository, arguments)
    try:
        return subprocess.run(
            command, capture_output=True, check=False, env=_environment(), stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise _absent(repository) from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"{repository}: git {arguments[0]} gave no answer in {_TIMEOUT_SECONDS:g} s"
        ) from error


def output(repository: Path, *arguments: str, limit: int) -> bytes | None:
    """Return what git printed; None when it failed.

    Raises:
        SourceError: there is no git, or it printed more than `limit` bytes, which are never held.
    """
    with _started(repository, arguments) as process:
        said = process.stdout.read(limit + 1) if process.stdout else b""
        if len(said) > limit:
            process.kill()
            raise SourceError(f"{repository}: git {arguments[0]} printed more than {limit:,} bytes")
    return said if process.returncode == 0 else None


class ObjectReader:
    """One `git cat-file --batch`, started by the first object asked for. Use as a context manager."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ObjectReader":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close(stream)
        self._process.kill()
        self._process.wait()

    def read(self, object_id: str, wanted: str, limit: int) -> bytes:
        """Return an object's first `limit` bytes; `object_id` is hexadecimal, with a suffix such as ^{tree}.

        Raises:
            SourceError: the object is missing, or of another type than wanted.
        """
        if self._process is None:
            self._process = _started(self.repository, ("cat-file", "--batch"), is_asked=True)
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:  # cannot be: both are pipes
            raise SourceError("git cat-file has no pipes")
        try:
            requests.write(object_id.encode() + b"\n")
            requests.flush()
        except BrokenPipeError as error:
            raise SourceError(f"{self.repository}: git cat-file ended; try git fsck") from error
        header = answers.readline().split()
        if len(header) != 3 or header[1].decode() != wanted:  # noqa: PLR2004  # id, type, size
            said = b" ".join(header).decode("utf-8", "replace") or "nothing"
            raise SourceError(f"{self.repository}: no {wanted} {object_id} (git says: {said}); try git fsck")
        return _body(answers, int(header[2]), limit)


def _started(
    repository: Path, arguments: Sequence[str], *, is_asked: bool = False
) -> "subprocess.Popen[bytes]":
    from subprocess import DEVNULL, PIPE, Popen

    command, environment = _command(repository, arguments), _environment()
    try:
        stdin = PIPE if is_asked else DEVNULL
        return Popen(command, env=environment, stdin=stdin, stdout=PIPE, stderr=DEVNULL)
    except FileNotFoundError as error:
        raise _absent(repository) from error


def _body(answers: IO[bytes], size: int, limit: int) -> bytes:
    content = answers.read(min(size, limit))
    left = size - len(content) + 1  # a line feed follows the object
    while left > 0:
        skipped = len(answers.read(min(left, 1 << 20)))
        if not skipped:
            raise SourceError("git cat-file ended in the middle of an object; try git fsck")
        left -= skipped
    return content


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return  # git is gone already, which is what closing asks for


def _command(repository: Path, arguments: Sequence[str]) -> list[str]:
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    return ["git", "--no-pager", "--no-replace-objects", "-C", str(repository), *settings, *arguments]


def _environment() -> dict[str, str]:
    """Return the environment without what redirects git, and with what keeps it quiet and off the network.

    No protocol is allowed: an older git fetches an object that a partial clone lacks whatever
    GIT_NO_LAZY_FETCH says, and a repository's config may name a program as the way to fetch it.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    quiet = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ASKPASS": "true",
        "LC_ALL": "C",
    }
    return kept | quiet


def _absent(repository: Path) -> SourceError:
    return SourceError(f"{repository}: specs are read with git, which is not installed; install it")
