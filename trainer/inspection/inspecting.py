"""Look through one file, as deep as was asked for."""

from collections.abc import Sequence

from state.contract.contents import Sieved
from state.contract.inspection import (
    DEPTHS,
    TOO_FEW_HELD_OUT,
    Depth,
    Guard,
    Inspection,
    InspectRequest,
    TokenCounts,
    TrainedAs,
)
from state.contract.quest_rows import QuestFileError, Row, row_digest
from state.contract.row_contracts import RowContract
from state.contract.row_order import training_rows
from state.contract.row_shapes import PLAIN_TEXT
from state.contract.row_words import Objection
from trainer.inspection.duplicates import (
    GuardRows,
    answers_alike,
    duplicates,
    guard_questions,
    guard_rows,
    leaks,
)
from trainer.inspection.errors import InspectError
from trainer.inspection.findings import Findings
from trainer.inspection.reading import ReadFile, read_file
from trainer.inspection.text import encoding_objections, is_going_round
from trainer.inspection.turns import turn_objections

_GOING_ROUND = Objection(
    "what is learnt says the same again and again", "text that goes on", "Cut it or remove the row."
)


def inspect(request: InspectRequest) -> Inspection:
    """Return what is to be known about a file before it is trained on.

    Raises:
        InspectError: tokenizer, template or a file of guarded rows is not what was asked for.
    """
    findings = Findings(request.most_findings)
    try:
        read = read_file(request.path, request.contracts, request.start_byte, request.most_findings)
    except QuestFileError as error:
        return _refused(request, error)
    _tell_left_out(read.sieved, findings)
    guards = [_guard(guard) for guard in request.guards]
    _look_at_rows(read.rows, findings)
    for number, objection, is_error in leaks(read.rows, guards, request.allowed_leakage):
        findings.add("leakage", number, objection, is_error=is_error)
    training = _training_rows(read.rows, request.held_out_fraction, guards, findings)
    counts = None
    if _reaches(request.depth, "standard"):
        _look_for_repetition(read.rows, findings)
        counts = _count_tokens(read, training, request.trained_as, findings)
    if _reaches(request.depth, "deep"):
        from trainer.inspection.near import look_for_likeness  # needs numpy

        look_for_likeness(read.rows, guards, findings)
    return Inspection(
        depth=request.depth,
        contract=read.sieved.contract.name,
        digest=read.sieved.digest,
        num_rows=read.sieved.num_rows,
        num_left_out=read.sieved.num_left_out,
        num_held_out=len(read.rows) - len(training),
        tokens=counts,
        counts=findings.counts,
        findings=findings.all(),
    )


def _reaches(depth: Depth, wanted: Depth) -> bool:
    return DEPTHS.index(depth) >= DEPTHS.index(wanted)


def stumbled_over(request: InspectRequest, error: Exception) -> Inspection:
    """Return the refusal of a file at which a check failed in a way that nobody foresaw."""
    found = f"a check of our own fails at these rows: {type(error).__name__}: {error}"
    advice = "Report it with the file; until then leave out the row, or the quest."
    findings = Findings()
    findings.add("shape", None, Objection(found, "rows that every check goes through", advice), is_error=True)
    return _unread(request, findings)


def _refused(request: InspectRequest, error: QuestFileError) -> Inspection:
    findings = Findings(request.most_findings)
    for one in error.findings:
        findings.add("shape", one.row, Objection(one.found, one.expected, one.advice), is_error=True)
    findings.add_unshown("shape", error.num_more)
    return _unread(request, findings)


def _tell_left_out(sieved: Sieved, findings: Findings) -> None:
    """Note each invalid row that the contract allows to leave out, and why it is invalid."""
    allowed_by = f"max_invalid_fraction of dataset {sieved.contract.name}"
    advice = f"It is left out, as {allowed_by} allows; mended it is learnt."
    for one in sieved.left_out:
        findings.add("left_out", one.row, Objection(one.found, one.expected, advice))
    findings.add_unshown("left_out", sieved.num_left_out - len(sieved.left_out))


def _unread(request: InspectRequest, findings: Findings) -> Inspection:
    return Inspection(
        depth=request.depth,
        contract=None,
        digest=None,
        num_rows=0,
        counts=findings.counts,
        findings=findings.all(),
    )


def _guard(guard: Guard) -> GuardRows:
    if guard.path is None:
        return guard_questions(guard.name, guard.questions, guard.key)
    contract = RowContract(name=guard.name, shape=guard.shape)
    try:
        read = read_file(guard.path, (contract,))
    except QuestFileError as error:
        raise InspectError(f"{guard.name}: {error}") from error
    if read.sieved.digest != guard.digest:
        raise InspectError(f"{guard.name}: {guard.path} has {read.sieved.digest}, expected {guard.digest}")
    return guard_rows(guard.name, read.rows, guard.key)


def _look_at_rows(rows: Sequence[Row], findings: Findings) -> None:
    for row in rows:
        for objection in turn_objections(row.messages):
            findings.add("roles", row.index + 1, objection)
        for message in row.messages:
            for objection in encoding_objections(message.content):
                findings.add("encoding", row.index + 1, objection)
    findings.add_all("duplicate", duplicates(rows))


def _training_rows(
    rows: Sequence[Row], fraction: float, guards: Sequence[GuardRows], findings: Findings
) -> list[Row]:
    """Return the rows that the trainer would learn: none of a held-out file, whatever the share is."""
    never = {digest for guard in guards for digest in guard.rows}
    learnt = frozenset(training_rows((row_digest(row.messages) for row in rows), fraction, never))
    training = [row for place, row in enumerate(rows) if place in learnt]
    if not training:
        objection = Objection(
            "every row is held out", "at least one to train on", "Lower held_out or add rows."
        )
        findings.add("held_out", None, objection, is_error=True)
    elif fraction and len(rows) - len(training) <= TOO_FEW_HELD_OUT:
        findings.add("held_out", None, _too_few(fraction, len(rows) - len(training), len(rows)))
    return training


def _too_few(fraction: float, num_held_out: int, num_rows: int) -> Objection:
    found = f"{fraction:g} leaves {num_held_out} of {num_rows:,} rows to measure with"
    return Objection(found, f"more than {TOO_FEW_HELD_OUT}", "Raise it, or measure with a file of its own.")


def _look_for_repetition(rows: Sequence[Row], findings: Findings) -> None:
    for row in rows:
        learnt = (m.content for m in row.messages if m.role in ("assistant", PLAIN_TEXT))
        if any(is_going_round(text) for text in learnt):
            findings.add("repetition", row.index + 1, _GOING_ROUND)
    alike = answers_alike(rows)
    if alike is not None:
        findings.add("repetition", None, alike)


def _count_tokens(
    read: ReadFile, training: Sequence[Row], trained_as: TrainedAs | None, findings: Findings
) -> TokenCounts | None:
    if trained_as is None:
        return None
    from trainer.inspection.tokens import count_tokens  # reads the tokenizers library

    return count_tokens(read, frozenset(row.index for row in training), trained_as, findings)
