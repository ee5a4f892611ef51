"""The gate of a quest file: which contract its rows keep, which rows may be left out, and what is taken in.

A file whose contract is named is judged by it. Otherwise exactly one of the known contracts must fit the keys
of every row: none is unknown, two are ambiguous, and both are refused by name. Where one fits most rows, the
others are told by what it expects. Pure.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from state.contract.contents import MAX_FINDINGS, Finding, Sieved
from state.contract.quest_rows import QuestFileError, lines_of, row_digest, rows
from state.contract.row_beside import refused_beside
from state.contract.row_contracts import RowContract, fits
from state.contract.row_judging import judge
from state.contract.row_lines import at_row, object_in
from state.contract.row_suggestion import suggestion
from state.contract.row_words import Objection, keys_of

_TORN = "torn at the end"
"""Part of what is said of a last row that is not complete."""


def sieve(
    content: bytes, path: str, contracts: Sequence[RowContract], most_findings: int = MAX_FINDINGS
) -> tuple[Sieved, bytes]:
    """Return what is taken in of a file, and its bytes; at most so many findings are named.

    Raises:
        QuestFileError: no contract fits or two do, the last row is torn, or more rows are invalid than the
            contract allows; with the first findings, and the number of the others.
    """
    lines = lines_of(content, path)
    contract = (
        contracts[0] if len(contracts) == 1 else _only_fit(lines, content, path, contracts, most_findings)
    )
    findings, bad = _judged(lines, content, contract, most_findings)
    _check_share(findings, len(bad), len(lines), path, contract, most_findings)
    if bad:
        content = b"\n".join(line for index, line in enumerate(lines) if index not in bad) + b"\n"
    return (
        Sieved(
            contract=contract,
            digest="sha256:" + hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            num_rows=len(lines) - len(bad),
            left_out=tuple(findings),
            num_left_out=len(bad),
        ),
        content,
    )


def behind(sieved: Sieved, rows: bytes, start_byte: int) -> Sieved:
    """Return what the rows from this byte on are, a content of their own; `rows` is all that is taken in."""
    new = rows[start_byte:]
    return msgspec.structs.replace(
        sieved,
        digest="sha256:" + hashlib.sha256(new).hexdigest(),
        size_bytes=len(new),
        num_rows=new.removesuffix(b"\n").count(b"\n") + 1,
    )


def row_digests(content: bytes, path: str, contract: RowContract) -> frozenset[str]:
    """Return the digests of the rows of a content that has passed the gate."""
    return frozenset(row_digest(row.messages) for row in rows(content, path, contract.shape))


def highest_draw(digests: Collection[str]) -> float:
    """Return the share below which at least one of these rows is not held out (see `is_held_out`)."""
    return max(int(digest[:13], 16) for digest in digests) / 16**13


def _judged(
    lines: Sequence[bytes], content: bytes, contract: RowContract, most: int
) -> tuple[list[Finding], frozenset[int]]:
    """Return the first mistakes, and the index of every invalid row."""
    findings: list[Finding] = []
    bad: set[int] = set()
    for index, line in enumerate(lines):
        found = _judge_line(line, index, contract, is_torn_end=_is_torn_end(index, lines, content))
        if found is None:
            continue
        bad.add(index)
        if len(findings) < most or _TORN in found.found:
            findings.append(found)
    return findings, frozenset(bad)


def _judge_line(line: bytes, index: int, contract: RowContract, *, is_torn_end: bool) -> Finding | None:
    value = object_in(line, index, is_torn_end=is_torn_end)
    if isinstance(value, Finding):
        return value
    found = judge(value, contract)
    return at_row(index, found) if isinstance(found, Objection) else None


def _is_torn_end(index: int, lines: Sequence[bytes], content: bytes) -> bool:
    return index == len(lines) - 1 and not content.endswith(b"\n")


def _check_share(
    findings: Sequence[Finding], num_bad: int, num_lines: int, path: str, contract: RowContract, most: int
) -> None:
    """Raise unless the invalid rows may be left out. A torn end is never left out: the file is not whole."""
    share = contract.max_invalid_fraction
    torn = [one for one in findings if _TORN in one.found]
    if torn or (num_bad and num_bad == num_lines):
        raise QuestFileError(path, torn or findings, 0 if torn else num_bad - len(findings))
    if num_bad <= share * num_lines:
        return
    if not share:
        raise QuestFileError(path, findings, num_bad - len(findings))
    summary = Finding(
        row=None,
        found=f"{num_bad:,} of {num_lines:,} rows are invalid",
        expected=f"at most {share:.3%} of all its rows (max_invalid_fraction of dataset {contract.name})",
        advice="Mend the rows that follow.",
    )
    shown = findings[: most - 1]
    raise QuestFileError(path, [summary, *shown], num_bad - len(shown))


def _only_fit(
    lines: Sequence[bytes], content: bytes, path: str, contracts: Sequence[RowContract], most: int
) -> RowContract:
    """Return the one contract that fits the keys of every row.

    Raises:
        QuestFileError: none fits all rows, with all mistakes by the one that fits most; or two do.
    """
    met: Counter[frozenset[str]] = Counter()
    for index, line in enumerate(lines):
        value = object_in(line, index, is_torn_end=_is_torn_end(index, lines, content))
        if isinstance(value, dict):
            met[frozenset(value)] += 1
    fit = [one for one in contracts if all(fits(one, keys) for keys in met)]
    meant = [one for one in fit if not any(refused_beside(one).keys() & keys for keys in met)]
    if len(fit) == 1 or len(meant) == 1:
        return (meant or fit)[0]
    if not met or not fit:
        mistakes = _mistakes(lines, content, contracts, met)
        raise QuestFileError(path, list(islice(mistakes, most)), sum(1 for _ in mistakes))
    raise QuestFileError(path, [_ambiguous(fit)])


def _mistakes(
    lines: Sequence[bytes], content: bytes, contracts: Sequence[RowContract], met: Counter[frozenset[str]]
) -> Iterator[Finding]:
    """Yield what is wrong with the rows of a file that no contract fits; `met`: keys → number of rows.

    They are judged by the contract that fits most of them; where none fits any, the first row says what to
    declare.
    """
    num_fit = {one.name: sum(num for keys, num in met.items() if fits(one, keys)) for one in contracts}
    meant = max(contracts, key=lambda one: num_fit[one.name])
    is_known = num_fit[meant.name] > 0
    for index, line in enumerate(lines):
        value = object_in(line, index, is_torn_end=_is_torn_end(index, lines, content))
        if isinstance(value, Finding):
            yield value
        elif not is_known:
            yield _unknown(value, index, contracts)
            return
        elif (objection := _objection(value, meant, contracts)) is not None:
            yield at_row(index, objection)


def _objection(
    value: dict[str, Any], meant: RowContract, contracts: Sequence[RowContract]
) -> Objection | None:
    """Return what is wrong with a row of a file whose rows are meant to be of one contract."""
    if not fits(meant, value) and any(fits(one, value) for one in contracts):
        other = f"{keys_of(value).lower()}, unlike the other rows, which are {meant.name}"
        return Objection(other, "one shape in the whole file", "Split the file, or mend the row.")
    found = judge(value, meant)
    return found if isinstance(found, Objection) else None


def _unknown(value: dict[str, Any], index: int, contracts: Sequence[RowContract]) -> Finding:
    names = ", ".join(one.name for one in contracts)
    return at_row(
        index, Objection(f"unknown row shape, {keys_of(value).lower()}", f"one of {names}", suggestion(value))
    )


def _ambiguous(left: Sequence[RowContract]) -> Finding:
    names = [one.name for one in left]
    return Finding(
        row=None,
        found=f"its rows match {len(left)} shapes: {', '.join(names)}",
        expected="one",
        advice="Name one beside the file in specs/queue.yaml: dataset: <id>, or fields: {prompt: ..., ...}.",
    )
