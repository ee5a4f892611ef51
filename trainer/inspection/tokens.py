"""Rows as tokens: which cannot be trained on, how many tokens there are, how full micro-batches are."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from state.contract.chat import NoTemplateError
from state.contract.inspection import TokenCounts, TrainedAs
from state.contract.row_order import EpochOrder
from state.contract.row_words import Objection
from state.contract.tokenizer_files import NoTokenizerError
from trainer.data.documents import Document
from trainer.data.packing import pack
from trainer.data.profiles.registry import profiled
from trainer.data.rendering import Renderer, RowError
from trainer.data.requested import requested_template
from trainer.data.templates import ChatTemplate, TemplateError
from trainer.data.tokenizers import (
    TextEncoder,
    TokenizerError,
    UnusableTokenizerError,
    check_largest_id,
    requested_encoder,
)
from trainer.inspection.errors import InspectError, UnusableTokenizer
from trainer.inspection.findings import Findings
from trainer.inspection.reading import ReadFile

_MIN_JUDGED = 20
"""In fewer rows any share is chance."""
_MASKED_SHARES = (0.30, 0.85)
"""Between these shares of the tokens carry no loss in data as it usually is."""


def count_tokens(
    read: ReadFile, training: frozenset[int], trained_as: TrainedAs, findings: Findings
) -> TokenCounts | None:
    """Return what the rows at these places are as tokens; name the rows that cannot be trained on.

    Raises:
        InspectError: tokenizer or template is not what was asked for.
    """
    shape, documents = read.sieved.contract.shape, []
    written = profiled(read.rows, shape.profile)
    tried_rows = _renderer(trained_as).tried(written, splits=shape.long_rows == "split")
    for row, tried in zip(read.rows, tried_rows, strict=True):
        if isinstance(tried, RowError):
            findings.add(tried.check, row.index + 1, tried.objection, is_error=True)
        elif row.index in training:
            documents.append(tried)
            if len(tried) > 1:
                findings.add("length", row.index + 1, _split_objection(tried, trained_as.max_length))
    if not documents:
        return None
    counts = counts_of(documents, read.sieved.digest, trained_as)
    is_judged = shape.kind != "text" and len(documents) >= _MIN_JUDGED
    if is_judged and (objection := _masked_objection(counts)) is not None:
        findings.add("masked_share", None, objection)
    return counts


def _split_objection(documents: Sequence[Document], max_length: int) -> Objection:
    """Return that a text is trained in parts: each begins with the last token of the one before."""
    num_tokens = sum(map(len, documents)) - len(documents) + 1
    advice = f"It is trained as {len(documents)} documents, as long_rows: split says."
    return Objection(f"{num_tokens} tokens", f"at most {max_length} (max_length)", advice)


def counts_of(rows: Sequence[Sequence[Document]], digest: str, trained_as: TrainedAs) -> TokenCounts:
    """Return what one epoch of the rows' documents, of the content with this digest, is to the engine."""
    documents = [document for row in rows for document in row]
    lengths = sorted(map(len, documents))
    updates = list(_updates(rows, digest, trained_as))
    budget = trained_as.tokens_at_once
    batches = [batch for update in updates for batch in pack(update, budget)]
    num_tokens = sum(lengths)
    return TokenCounts(
        num_tokens=num_tokens,
        num_trained=sum(document.num_trained for document in documents),
        longest=lengths[-1],
        median=lengths[len(lengths) // 2],
        max_length=trained_as.max_length,
        updates=len(updates),
        fill=num_tokens / sum(max(budget, sum(batch.lengths)) for batch in batches),
    )


def _masked_objection(counts: TokenCounts) -> Objection | None:
    """Return that unusually many or few tokens carry loss."""
    masked = 1 - counts.trained_share
    low, high = _MASKED_SHARES
    if low <= masked <= high:
        return None
    found = f"{masked:.1%} of the tokens carry no loss"
    expected = f"{low:.0%} to {high:.0%}, as is usual"
    if masked > high:
        return Objection(found, expected, "Shorten the questions, or look whether the answers are whole.")
    return Objection(found, expected, "Look whether questions are missing.")


def _updates(
    rows: Sequence[Sequence[Document]], digest: str, trained_as: TrainedAs
) -> Iterator[list[Document]]:
    """Yield the documents of each update of the first epoch."""
    order = EpochOrder(seed=trained_as.seed, quest_digest=digest, epoch=0, num_rows=len(rows))
    size = trained_as.documents_per_update
    for start in range(0, len(rows), size):
        places = range(start, min(start + size, len(rows)))
        yield [document for place in places for document in rows[order.row_at(place)]]


@lru_cache(maxsize=4)
def _renderer(trained_as: TrainedAs) -> Renderer:
    folder = Path(trained_as.model_dir) if trained_as.model_dir else None
    try:
        encoder = requested_encoder(trained_as.tokenizer, folder)
        template = ChatTemplate(requested_template(trained_as.chat, folder), encoder.names)
    except UnusableTokenizerError as error:
        raise UnusableTokenizer(str(error)) from error
    except (TokenizerError, NoTokenizerError, TemplateError, NoTemplateError) as error:
        raise InspectError(str(error)) from error
    _refuse_larger(encoder, trained_as.vocab_size)
    return Renderer(encoder, template, trained_as.max_length)


def _refuse_larger(encoder: TextEncoder, vocab_size: int | None) -> None:
    try:
        check_largest_id(encoder, vocab_size if vocab_size is not None else encoder.largest_id + 1)
    except TokenizerError as error:
        raise UnusableTokenizer(str(error)) from error
