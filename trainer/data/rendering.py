"""Conversations → tokens and which of them carry loss: the assistant's content and the token that closes it.

A template decides the text of the whole conversation. Where an assistant turn begins is found by rendering
what comes before it with the template's own generation prompt: that is what the model sees when it has to
answer. The rendered whole must start with it. Templates such as Qwen3's put an empty think block before the
last answer only; their generation prompt without thinking holds that block, so it is masked and never learnt.

Special tokens are special where the template puts them. The same characters inside a message are text: they
are hidden while the template runs and encoded as text afterwards.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain, pairwise
from typing import Literal, TypeAlias

import msgspec

from state.contract.contents import MAX_FINDINGS, Finding
from state.contract.quest_rows import QuestFileError, Row
from state.contract.row_lines import at_row
from state.contract.row_shapes import PLAIN_TEXT, Message
from state.contract.row_words import Objection
from trainer.data.documents import Document, num_trained
from trainer.data.templates import ChatTemplate, TemplateError
from trainer.data.tokenizers import TextEncoder

_PRIVATE_USE = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
"""The characters that Unicode leaves to anybody."""
_PROMPTS = ({"add_generation_prompt": True, "enable_thinking": False}, {"add_generation_prompt": True})
"""Without a think block to fill in, else as the template does it by default."""

Conversation: TypeAlias = tuple[Message, ...]
RowCheck: TypeAlias = Literal["template", "length", "masked"]
"""What a row failed: the template, the largest length, or it has nothing to learn."""
_Encoded: TypeAlias = dict[tuple[str, bool], Sequence[int]]
"""(Text, is it a special token) → ids."""


class Piece(msgspec.Struct, frozen=True):
    """A part of a rendered conversation that is encoded as one."""

    text: str
    is_special: bool
    is_trained: bool


class RowError(Exception):
    """A row that cannot be trained on; says what was found, expected and advised."""

    def __init__(self, found: str, expected: str, advice: str, *, check: RowCheck = "template") -> None:
        self.objection = Objection(found, expected, advice)
        self.check = check
        super().__init__(f"{found}; expected {expected}. {advice}")

    def at(self, index: int) -> Finding:
        """Return the finding for the row that stands at this index."""
        return at_row(index, self.objection)


class _Tokens(msgspec.Struct, frozen=True):
    ids: array  # type: ignore[type-arg]  # array[int] is no type at run time
    spans: tuple[tuple[int, int], ...]


class Renderer:
    """Turns conversations into documents, with one template and one tokenizer."""

    def __init__(self, encoder: TextEncoder, template: ChatTemplate, max_length: int) -> None:
        """Documents of more than `max_length` tokens are refused, never cut."""
        self.encoder = encoder
        self._template = template
        self._max_length = max_length
        longest_first = sorted(encoder.special_ids, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def documents(self, rows: Iterable[Row], path: str, *, splits: bool = False) -> list[Document]:
        """Return the documents of each row, one behind the other; rows of equal content share their tokens.

        Raises:
            QuestFileError: with up to ten rows that the template refuses, that have nothing to learn, or that
                are longer than the largest length.
        """
        documents: list[Document] = []
        findings: list[Finding] = []
        read = list(rows)
        for row, found in zip(read, self.tried(read, splits=splits), strict=True):
            if isinstance(found, RowError):
                findings.append(found.at(row.index))
            else:
                documents.extend(found)
        if findings:
            shown = findings[:MAX_FINDINGS]
            raise QuestFileError(path, shown, len(findings) - len(shown))
        return documents

    def tried(self, rows: Sequence[Row], *, splits: bool = False) -> list[tuple[Document, ...] | RowError]:
        """Return the documents of each row, or why there is none.

        A row is one document. With `splits`, plain text beyond the largest length is several.
        """
        tokens = self._tokenised(dict.fromkeys(row.messages for row in rows), splits=splits)
        found = ((row.index, tokens[row.messages]) for row in rows)
        return [one if isinstance(one, RowError) else tuple(self._parts(index, one)) for index, one in found]

    def _parts(self, row: int, tokens: "_Tokens") -> Iterator[Document]:
        """Yield a row as documents of at most the largest length.

        Each begins with the last token of the one before, so that every token of the text but its first is
        predicted, and learnt, once.
        """
        if len(tokens.ids) <= self._max_length:
            yield Document(row=row, ids=tokens.ids, spans=tokens.spans)
            return
        for start in range(0, len(tokens.ids) - 1, self._max_length - 1):
            ids = tokens.ids[start : start + self._max_length]
            yield Document(row=row, ids=ids, spans=((0, len(ids)),))

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens after which the model answers, as in training.

        Raises:
            RowError: the template refuses the conversation.
        """
        hidden, hider = self._hide(messages)
        pieces = list(self._split(self._render(hidden, **_PROMPTS[0]), [], hider))
        encoded = self._encode_once(pieces)
        return [number for piece in pieces for number in encoded[piece.text, piece.is_special]]

    def closing_id(self) -> int | None:
        """Return the special token that is learnt as an answer's end; None: the template has none there."""
        try:
            pieces = self.pieces((Message("user", "a"), Message("assistant", "b")))
        except RowError:
            return None
        closing = [piece.text for piece in pieces if piece.is_special and piece.is_trained]
        return self.encoder.special_ids[closing[-1]] if closing else None

    def pieces(self, messages: Sequence[Message]) -> list[Piece]:
        """Return a rendered conversation, taken apart at special tokens and at the borders of what is learnt.

        Plain text is one piece without a template: every token of it but the first is learnt.

        Raises:
            RowError: the template refuses it, or gives no assistant turn.
        """
        if messages[0].role == PLAIN_TEXT:
            return [Piece(messages[0].content, is_special=False, is_trained=True)]
        hidden, hider = self._hide(messages)
        whole = self._render(hidden)
        spans = [
            self._span(whole, hidden, turn)
            for turn, message in enumerate(hidden)
            if message.role == "assistant"
        ]
        if not spans:
            raise RowError("no assistant message", "at least one, to be learnt", "Add the answer.")
        return list(self._split(whole, spans, hider))

    def _span(self, whole: str, messages: Sequence[Message], turn: int) -> tuple[int, int]:
        """Return where in the whole text the turn's content begins and where its closing token ends."""
        before = (self._render(messages[:turn], **prompt) for prompt in _PROMPTS)
        start = next((len(text) for text in before if whole.startswith(text)), None)
        if start is None:
            raise RowError(
                f"the chat template begins message {turn + 1} otherwise than its generation prompt",
                "a whole conversation that starts with the prompt",
                "Use another chat template.",
            )
        stop = self._end_of_turn(whole, messages, turn, start)
        content = messages[turn].content
        if content.strip() not in whole[start:stop] and "</think>" not in content:
            raise RowError(
                f"the chat template does not write the content of message {turn + 1} before the turn ends",
                "the content, then a special token",
                "Use another chat template.",
            )
        return start, stop

    def _end_of_turn(self, whole: str, messages: Sequence[Message], turn: int, start: int) -> int:
        closing = self._special.search(whole, start)
        until_here = whole if turn == len(messages) - 1 else self._render(messages[: turn + 1])
        is_of_next_turn = closing and whole.startswith(until_here) and closing.end() > len(until_here)
        if closing is None or is_of_next_turn:
            raise RowError(
                f"the chat template closes message {turn + 1} with no special token of the tokenizer",
                "one, so that the model learns where to stop",
                "Use the template that belongs to the tokenizer.",
            )
        return closing.end()

    def _split(self, text: str, spans: list[tuple[int, int]], hider: "_Hider") -> Iterator[Piece]:
        specials = [match.span() for match in self._special.finditer(text)]
        borders = {0, len(text), *(place for span in (*spans, *specials) for place in span)}
        special_starts = {start for start, _ in specials}
        places = sorted(borders)
        for start, stop in pairwise(places):
            is_trained = any(first <= start < last for first, last in spans)
            if start in special_starts:
                yield Piece(text[start:stop], is_special=True, is_trained=is_trained)
            else:
                yield Piece(hider.reveal(text[start:stop]), is_special=False, is_trained=is_trained)

    def _tokenised(
        self, conversations: Iterable[Conversation], *, splits: bool
    ) -> dict[Conversation, "_Tokens | RowError"]:
        """Return tokens for each conversation, or why there are none."""
        taken_apart: dict[Conversation, list[Piece] | RowError] = {}
        for messages in conversations:
            try:
                taken_apart[messages] = self.pieces(messages)
            except RowError as error:
                taken_apart[messages] = error
        encoded = self._encode_once(
            piece for found in taken_apart.values() if not isinstance(found, RowError) for piece in found
        )
        return {
            messages: found
            if isinstance(found, RowError)
            else self._joined(found, encoded, may_be_long=splits and messages[0].role == PLAIN_TEXT)
            for messages, found in taken_apart.items()
        }

    def _joined(self, pieces: list[Piece], encoded: "_Encoded", *, may_be_long: bool) -> "_Tokens | RowError":
        ids = array("i")
        spans: list[tuple[int, int]] = []
        for piece in pieces:
            start = len(ids)
            ids.extend(encoded[piece.text, piece.is_special])
            if piece.is_trained and spans and spans[-1][1] == start:
                spans[-1] = spans[-1][0], len(ids)
            elif piece.is_trained:
                spans.append((start, len(ids)))
        if len(ids) > self._max_length and not may_be_long:
            expected = f"at most {self._max_length} (max_length)"
            advice = "Split the row or raise max_length."
            return RowError(f"{len(ids)} tokens", expected, advice, check="length")
        tokens = _Tokens(ids, tuple(spans))
        if num_trained(tokens.spans) == 0:
            expected = "an answer of at least one token"
            return RowError("nothing to learn", expected, "Fill it or remove the row.", check="masked")
        return tokens

    def _encode_once(self, pieces: Iterable[Piece]) -> "_Encoded":
        """Return the tokens of every different text, encoded in one call: a template's texts repeat."""
        distinct = dict.fromkeys((piece.text, piece.is_special) for piece in pieces)
        plain = [text for text, is_special in distinct if not is_special]
        encoded: _Encoded = {
            (text, True): [self.encoder.special_ids[text]] for text, is_special in distinct if is_special
        }
        encoded.update(zip(((text, False) for text in plain), self.encoder.encode(plain), strict=True))
        return encoded

    def _render(self, messages: Sequence[Message], **variables: bool) -> str:
        try:
            return self._template.render(messages, **variables)
        except TemplateError as error:
            raise RowError(
                str(error), "a conversation that it accepts", "Correct the row or the template."
            ) from error

    def _hide(self, messages: Sequence[Message]) -> tuple[list[Message], "_Hider"]:
        hider = _Hider(self._special, messages)
        return [Message(message.role, hider.hide(message.content)) for message in messages], hider


class _Hider:
    """Replaces special tokens inside messages by characters that no message uses, and back.

    Raises:
        RowError: the messages use every private character.
    """

    def __init__(self, special: re.Pattern[str], messages: Sequence[Message]) -> None:
        self._special = special
        self._tokens: list[str] = []
        self._mark = ""
        if any(special.search(message.content) for message in messages):
            self._mark = _unused({character for message in messages for character in message.content})

    def hide(self, text: str) -> str:
        return self._special.sub(self._replace, text) if self._mark else text

    def reveal(self, text: str) -> str:
        if not self._mark:
            return text
        return re.sub(f"{self._mark}([0-9]+){self._mark}", lambda match: self._tokens[int(match[1])], text)

    def _replace(self, match: re.Match[str]) -> str:
        self._tokens.append(match[0])
        return f"{self._mark}{len(self._tokens) - 1}{self._mark}"


def _unused(used: Set[str]) -> str:
    for code in chain.from_iterable(_PRIVATE_USE):
        if (character := chr(code)) not in used:
            return character
    found = "the text of a special token beside every private character of Unicode"
    raise RowError(found, "one that is not used, to tell the token by", "Remove the row.")
