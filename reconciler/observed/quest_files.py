"""What a quest file is now: where, how large, which content, and what keeps it from being trained on."""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.observed.data_records import QuestFileFacts
from reconciler.observed.fact_cache import FactCache, content_key
from reconciler.observed.folders import Signature, is_lfs_pointer, printable, signature
from reconciler.observed.held_out import HeldOutFiles
from reconciler.observed.taken_in import NONE_TAKEN_IN, TakenIn
from state.contract.contents import Continued, Finding, KnownPart, Sieved
from state.contract.lineage import SUFFIX
from state.contract.row_contracts import RowContract

Known = tuple[tuple[KnownPart, ...], ...]
MAX_QUEST_BYTES = 1 << 30
NONE_HELD_OUT = HeldOutFiles()
_RULES = "quest-8"
"""Grows when the rules of the gate change: then what is remembered no longer holds."""
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK_BYTES = 1 << 20


class _Refused(Exception):
    """The file cannot be read as a quest; holds the one finding."""

    def __init__(self, found: str, expected: str, advice: str, *, is_gone: bool = False) -> None:
        self.is_gone = is_gone
        self.finding = Finding(row=None, found=found, expected=expected, advice=advice)
        super().__init__(str(self.finding))


class _Checked(msgspec.Struct, frozen=True):
    """What is remembered of a file's content."""

    sha256: str | None
    content: Sieved | None
    findings: tuple[Finding, ...]
    continued: tuple[Continued, ...] = ()
    start_byte: int = 0


def observe_quest_file(
    name: str,
    root: Path,
    repository: Path,
    contracts: Sequence[RowContract],
    cache: FactCache | None = None,
    known: Known = (),
    held_out: HeldOutFiles = NONE_HELD_OUT,
) -> QuestFileFacts:
    """Return the facts of a quest file. Whatever is wrong with it is a finding, never an exception.

    Its rows keep the one contract that is given, or the one of several that fits. `known`: contents that were
    taken in of it before, each by its parts; rows that came behind them are looked for in the held-out files.

    An absolute name is taken as it is; a relative one is looked up below the root, then below the
    repository's top folder, which a link must not leave.
    """
    path: Path | None = None
    try:
        path = _find(name, (root, repository))
        seen, checked = _check(path, contracts, cache, known, held_out)
    except _Refused as refused:
        where = None if path is None else printable(str(path))
        found = (refused.finding,)
        return QuestFileFacts(name=name, path=where, findings=found, is_gone=refused.is_gone)
    return _facts(name, path, seen, checked)


def observe_open_file(
    descriptor: int,
    name: str,
    path: Path,
    contracts: Sequence[RowContract],
    cache: FactCache | None = None,
    taken: TakenIn = NONE_TAKEN_IN,
) -> QuestFileFacts:
    """Return the facts of a plain file that is open for reading; see `observe_quest_file`.

    Its content is what comes behind the contents that were taken in before.
    """
    try:
        seen, checked = _check_open(descriptor, path, contracts, cache, taken=taken)
    except _Refused as refused:
        return QuestFileFacts(name=name, path=printable(str(path)), findings=(refused.finding,))
    return _facts(name, path, seen, checked)


def _facts(name: str, path: Path, seen: Signature, checked: _Checked) -> QuestFileFacts:
    return QuestFileFacts(
        name=name,
        path=printable(str(path)),
        size_bytes=seen.size_bytes,
        sha256=checked.sha256,
        content=checked.content,
        continued=checked.continued,
        start_byte=checked.start_byte,
        findings=checked.findings,
        lineage_problem=_lineage_problem(path, checked),
    )


def _lineage_problem(path: Path, checked: _Checked) -> str | None:
    if not os.path.lexists(f"{path}{SUFFIX}"):
        return None
    from reconciler.observed.lineage import sidecar_problem  # seldom needed

    problem = sidecar_problem(str(path), checked.content, checked.start_byte)
    return None if problem is None else printable(problem)


def _find(name: str, bases: tuple[Path, ...]) -> Path:
    """Return the real path of the first file of this name.

    Raises:
        _Refused: nothing is there, or it leaves the folder that it should be in.
    """
    if "\0" in name or not name:
        raise _Refused(f"the name {name!r}", "the path of a JSONL file", "Correct the path.")
    if Path(name).is_absolute():
        places = [Path(name)]
    elif os.pardir in Path(name).parts:
        raise _Refused(
            f"the path {name} has ..", "a path below its folder", "Write it without .. or absolute."
        )
    else:
        places = [base / name for base in bases]
    place = next((place for place in places if os.path.lexists(place)), None)
    if place is None:
        looked_at = " and ".join(dict.fromkeys(str(place) for place in places))
        raise _Refused(
            f"there is no file {looked_at}",
            "a JSONL file",
            "Correct the path or put the file there.",
            is_gone=True,
        )
    return _resolve(place, None if Path(name).is_absolute() else bases[places.index(place)])


def _resolve(place: Path, base: Path | None) -> Path:
    real = Path(os.path.realpath(place))
    if base is not None and not real.is_relative_to(os.path.realpath(base)):
        raise _Refused(
            f"{place} is a link that leaves {base}",
            "a file in it",
            "Name the file itself by its absolute path.",
        )
    return real


def _check(
    path: Path,
    contracts: Sequence[RowContract],
    cache: FactCache | None,
    known: Known,
    held_out: HeldOutFiles,
) -> tuple[Signature, _Checked]:
    descriptor = _open(path)
    try:
        return _check_open(descriptor, path, contracts, cache, known, held_out)
    finally:
        os.close(descriptor)


def _check_open(
    descriptor: int,
    path: Path,
    contracts: Sequence[RowContract],
    cache: FactCache | None,
    known: Known = (),
    held_out: HeldOutFiles = NONE_HELD_OUT,
    taken: TakenIn = NONE_TAKEN_IN,
) -> tuple[Signature, _Checked]:
    """Return what the file's content is, remembered or read now."""
    seen = signature(os.fstat(descriptor))
    rests_on = (repr(tuple(contracts)), repr(known), held_out.key if known else "", taken.key)
    key = content_key(_RULES, str(path), seen, *rests_on)
    if (remembered := _remembered(cache, key)) is not None:
        return seen, remembered
    checked = _read(descriptor, seen, path, contracts, known, held_out, taken)
    if cache is not None:
        cache.put(key, msgspec.json.encode(checked))
    return seen, checked


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, _FILE)
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _Refused(f"{path} is not a regular file", "a JSONL file", "Name a JSONL file.")


def _unreadable(path: Path, error: OSError) -> _Refused:
    if isinstance(error, FileNotFoundError):
        return _Refused(
            f"{path} is a link to nothing", "a JSONL file", "Correct the link or put the file there."
        )
    from state.contract.quest_rows import unreadable_advice

    return _Refused(f"{path} cannot be read ({error.strerror})", "a readable file", unreadable_advice(error))


def _remembered(cache: FactCache | None, key: str) -> _Checked | None:
    content = cache.get(key) if cache is not None else None
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=_Checked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _read(
    descriptor: int,
    seen: Signature,
    path: Path,
    contracts: Sequence[RowContract],
    known: Known,
    held_out: HeldOutFiles,
    taken: TakenIn,
) -> _Checked:
    """Return the result of reading the whole file.

    Raises:
        _Refused: too large, unreadable, or changed while it was read.
    """
    from state.contract.growth import continued, not_taken_yet
    from state.contract.quest_rows import QuestFileError
    from state.contract.sieve import behind, sieve

    if seen.size_bytes > MAX_QUEST_BYTES:
        found = f"{path} has {seen.size_bytes:,} bytes"
        raise _Refused(found, f"at most {MAX_QUEST_BYTES:,}", "Split it into several quests.")
    try:
        content = _content(descriptor, seen.size_bytes)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) != seen.size_bytes or signature(os.fstat(descriptor)) != seen:
        raise _Refused(
            f"{path} changed while it was read", "a finished file", "Move it into place when it is whole."
        )
    if is_lfs_pointer(content):
        raise _Refused(f"{path} is a Git LFS pointer", "the file itself", "Fetch it with `git lfs pull`.")
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    try:
        sieved, rows = sieve(content, str(path), contracts)
        contract = sieved.contract
        grown = (continued(rows, parts, str(path), contract, lambda: held_out.row_digests) for parts in known)
        start = not_taken_yet(rows, taken.parts) if taken.parts and rows == content else 0
        new = behind(sieved, rows, start) if start else sieved
        return _Checked(digest, new, (), tuple(one for one in grown if one is not None), start)
    except QuestFileError as error:
        return _Checked(digest, None, error.findings)


def _content(descriptor: int, size_bytes: int) -> bytes:
    """Return the file's bytes; one more than expected where it grew."""
    parts: list[bytes] = []
    left = size_bytes + 1
    while left > 0 and (part := os.read(descriptor, min(left, _CHUNK_BYTES))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
