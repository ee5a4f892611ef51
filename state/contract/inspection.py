"""What `python -m trainer inspect` is asked and answers: a file of rows, seen as training will see it.

The answer depends on what `inspection_key` hashes and on nothing else: no path, id or time is part of it,
so whoever keeps answers by that key never keeps a wrong one. All of it but updates and fill depends on what
`counting_key` hashes, in which no size of batches is.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from state.contract.contents import MAX_FINDINGS, Finding
from state.contract.orders import RowShape
from state.contract.row_contracts import RowContract
from state.contract.run_config import ChatConfig, TokenizerConfig

CHECKER_VERSION = 8
"""Grows when a check finds something else in the same rows."""

TOO_FEW_HELD_OUT = 2
"""So few rows, or fewer, measure nothing: each run of the dice is another loss."""

Depth = Literal["quick", "standard", "deep"]
"""Each holds the one before: rows as they stand; their tokens, repetition; near duplicates."""
DEPTHS: tuple[Depth, ...] = ("quick", "standard", "deep")

HELD_OUT_KEY = "held-out"
"""Of the rows of a campaign's held-out file."""

_LOOKED_THROUGH = "a file that can be looked through"

Check = Literal[
    "shape",
    "left_out",
    "roles",
    "encoding",
    "duplicate",
    "leakage",
    "held_out",
    "template",
    "length",
    "masked",
    "masked_share",
    "repetition",
    "near_duplicate",
]

OF_TRAINING: frozenset[Check] = frozenset({"template", "length", "masked"})
"""What a run refuses rows for by its tokenizer, template and max_length, which may change after they came."""


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that nothing should be learnt from: those of a file, or questions."""

    name: str
    """What they are to people: `the held-out file test.jsonl`."""
    key: str = ""
    """What the specs call them, to allow what they guard against: `held-out`, `bin-level-1`."""
    path: str | None = None
    digest: str | None = None
    """`sha256:` and 64 hex digits over the file's bytes."""
    shape: RowShape = RowShape()
    questions: tuple[str, ...] = ()
    """What is asked, where there is no file."""


class TrainedAs(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows would become tokens and updates."""

    tokenizer: TokenizerConfig
    chat: ChatConfig
    model_dir: str | None
    """Folder of a pretrained tokenizer and its template."""
    max_length: int
    """Tokens of the longest document."""
    documents_per_update: int
    tokens_at_once: int
    """The budget of a micro-batch."""
    seed: int
    """Decides the order of the rows."""
    vocab_size: int | None = None
    """Tokens that the model knows; None: there is no model."""


class InspectRequest(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    path: str
    contracts: tuple[RowContract, ...]
    """What the rows must be: one, or several of which exactly one must fit."""
    start_byte: int = 0
    """Where the rows begin that are looked at: those before were taken in already, and say only the shape."""
    depth: Depth
    trained_as: TrainedAs | None = None
    """None: without tokens; then `standard` and `deep` look at the text alone."""
    held_out_fraction: float = 0.0
    guards: tuple[Guard, ...] = ()
    allowed_leakage: tuple[str, ...] = ()
    """Keys of guards that the specs allow to learn from."""
    most_findings: int = MAX_FINDINGS
    """So many of each check are named; all are counted."""


class DataFinding(Finding, frozen=True, kw_only=True):
    """One thing to know about a file of rows."""

    check: Check
    is_error: bool
    """It cannot be trained on as it is."""


class TokenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What one epoch of the rows is to the engine. Held-out rows are not counted."""

    num_tokens: int
    num_trained: int
    """Tokens that carry loss."""
    longest: int
    """Tokens of the longest row that can be trained on."""
    median: int
    """Tokens of the row in the middle."""
    max_length: int
    updates: int
    fill: float | None
    """Share of the micro-batches' token budget that is used; None: they were counted with other batches."""

    @property
    def trained_share(self) -> float:
        """Return which part of the tokens carries loss, 0 to 1."""
        return self.num_trained / self.num_tokens if self.num_tokens else 0.0


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    schema_version: int = 1
    checker_version: int = CHECKER_VERSION
    depth: Depth
    contract: str | None
    """Whose rows they are; None: no contract fits."""
    digest: str | None
    """`sha256:` and 64 hex digits over the rows that are taken in; None: none are."""
    num_rows: int
    num_left_out: int = 0
    """Invalid rows that the contract allows to leave out."""
    num_held_out: int = 0
    """Rows that are measured with and never learnt."""
    tokens: TokenCounts | None = None
    """None: not counted."""
    counts: dict[str, int] = {}
    """Check → how often it found something."""
    findings: tuple[DataFinding, ...] = ()
    """The first ones of each check."""

    @property
    def is_unlooked(self) -> bool:
        """Are the rows refused because nobody could look through them?"""
        return any(finding.row is None and finding.expected == _LOOKED_THROUGH for finding in self.findings)

    @property
    def num_errors(self) -> int:
        """Return how many of the findings that are shown keep the file from being trained on."""
        return sum(finding.is_error for finding in self.findings)


class InspectAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request: what was found, or why nobody could look."""

    inspection: Inspection | None = None
    why_not: str | None = None
    no_tokenizer: bool = False
    """Nobody could look because the tokenizer that was asked for cannot be loaded, whatever the rows are."""


def unlooked(request: InspectRequest, why: str) -> Inspection:
    """Return the refusal of rows that nobody could look through: not known to be well, not taken in."""
    return Inspection(
        depth=request.depth,
        contract=None,
        digest=None,
        num_rows=0,
        counts={"shape": 1},
        findings=(not_looked_through(why),),
    )


def not_looked_through(why: str) -> DataFinding:
    """Return the finding for rows that nobody could look through."""
    advice = "See to the cause, then validate again."
    return DataFinding(
        check="shape", is_error=True, row=None, found=why, expected=_LOOKED_THROUGH, advice=advice
    )


class LookedThrough(msgspec.Struct, frozen=True):
    """What was found in rows that were just made."""

    objection: str | None = None
    """What keeps them from being trained on, in words."""
    validators: Mapping[str, int] = {}
    """Who has looked → its version; empty: nobody could."""
    is_final: bool = True
    """The same rows are refused again; else nobody could look through them now."""


def inspection_key(request: InspectRequest, file_digest: str) -> str:
    """Return what names the answer to a request about a file with this digest of its bytes."""
    said = _without_places(request)
    hashed = hashlib.sha256(msgspec.json.encode([CHECKER_VERSION, file_digest, said]))
    return f"sha256:{hashed.hexdigest()}"


def counting_key(request: InspectRequest, file_digest: str) -> str:
    """Return what names all of an answer but the updates and how full they are."""
    trained_as = request.trained_as
    alike = trained_as and msgspec.structs.replace(
        trained_as, documents_per_update=1, tokens_at_once=1, seed=0
    )
    return inspection_key(msgspec.structs.replace(request, trained_as=alike), file_digest)


def in_other_batches(found: Inspection, request: InspectRequest) -> Inspection:
    """Return what was found in the same rows in batches of another size, as this request has them.

    How full they are is not known: nobody has packed them.
    """
    if found.tokens is None or request.trained_as is None:
        return found
    num_training = found.num_rows - found.num_held_out
    updates = math.ceil(num_training / request.trained_as.documents_per_update)
    tokens = msgspec.structs.replace(found.tokens, updates=updates, fill=None)
    return msgspec.structs.replace(found, tokens=tokens)


def _without_places(request: InspectRequest) -> InspectRequest:
    """Return a request without what does not change the answer; digests say what is in the files."""
    trained_as = request.trained_as
    return msgspec.structs.replace(
        request,
        path="",
        trained_as=trained_as and msgspec.structs.replace(trained_as, model_dir=None),
        guards=tuple(msgspec.structs.replace(guard, path=None) for guard in request.guards),
    )
