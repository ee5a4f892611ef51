"""From the bytes of a spec to plain JSON values, each with its place. Nothing is ever executed or expanded.

Called by `loading`; the values go to `validation`. The reader is ruamel's event parser, in C where its C
library is installed: the same events come from the Python one. Values are built here from events, because
what a spec may hold is less than YAML: no aliases, tags, merge keys, or keys that are not text. No recursion:
nesting cannot exhaust the stack.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from reconciler.desired import yaml_text
from reconciler.desired.places import Finding, KeyPath, Place, Span, Step, key_text
from reconciler.desired.yaml_errors import explained
from reconciler.desired.yaml_scalars import BadScalar, Scalar, kind_of, plain_scalar

MAX_DEPTH = 50
MAX_NODES = 50_000
_THOUSANDS = re.compile("[0-9]{3}")
"""What a comma in a number such as 2,000 leaves behind it, as a key, between { and }."""


class Document(msgspec.Struct, kw_only=True):
    """What a file says. What was refused has the value None and its path in `unreadable`."""

    values: dict[str, Any]
    places: dict[str, Place]
    findings: list[Finding]
    unreadable: set[KeyPath]


class _Stop(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding


class _Container:
    """A mapping or list that is being filled."""

    __slots__ = ("key", "keys", "path", "values")

    def __init__(self, values: Any, path: KeyPath) -> None:
        self.values = values
        self.path = path
        self.key: tuple[str, Span] | None = None
        """The key whose value comes next; only in mappings."""
        self.keys: dict[str, int] = {}
        """The line of each key that was met."""


def parse(data: bytes, *, number_keys_under: frozenset[str] = frozenset(), c_parser: bool = True) -> Document:
    """Return the values, the place of each, and everything that a spec may not hold.

    `number_keys_under` names top keys under which older files have whole numbers as keys; they become text.
    """
    reader = _Reader(number_keys_under)
    try:
        for event in _events(yaml_text.decode(data), c_parser=c_parser):
            reader.take(event)
        reader.finish()
    except yaml_text.BadText as bad:
        reader.findings.append(bad.finding)
    except _Stop as stop:
        reader.findings.append(stop.finding)
        return reader.document(complete=False)
    return reader.document(complete=bool(reader.top))


def _events(text: str, *, c_parser: bool) -> Iterator[Any]:
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # 45 ms: only for files that no cache knows

    try:
        yield from _events_by_c(text) if c_parser else _events_in_python(text)
    except MarkedYAMLError as error:
        raise _Stop(explained(error, yaml_text.lines_of(text))) from error
    except YAMLError as error:
        raise _Stop(Finding(message=f"is not valid YAML: {error}")) from error


def _events_by_c(text: str) -> Iterator[Any]:
    """Yield the events of the C parser, where there is one, without a loader made for each file."""
    from ruamel.yaml.main import CParser

    if CParser is None:
        yield from _events_in_python(text)
        return
    parser = CParser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def _events_in_python(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML

    yield from YAML(typ="safe", pure=True).parse(text)


class _Reader:
    """Builds values from events, on a stack of its own."""

    def __init__(self, number_keys_under: frozenset[str]) -> None:
        self.number_keys_under = number_keys_under
        self.findings: list[Finding] = []
        self.places: dict[str, Place] = {}
        self.unreadable: set[KeyPath] = set()
        self.top: dict[str, Any] = {}
        self.stack: list[_Container] = []
        self.skipping = 0
        """How many containers inside a key that is not text are open."""
        self.num_nodes = 0
        self.num_documents = 0

    def document(self, *, complete: bool) -> Document:
        values = self.top if complete else {}
        return Document(values=values, places=self.places, findings=self.findings, unreadable=self.unreadable)

    def finish(self) -> None:
        if not self.num_documents:
            raise _Stop(
                Finding(message="is empty; expected a spec", hint="a file to be ignored starts with _")
            )

    def take(self, event: Any) -> None:
        match type(event).__name__:
            case "DocumentStartEvent":
                self._start_document(event)
            case "ScalarEvent" | "AliasEvent":
                self._count(event)
                self._leaf(event)
            case "MappingStartEvent":
                self._count(event)
                self._open(event, {})
            case "SequenceStartEvent":
                self._count(event)
                self._open(event, [])
            case "MappingEndEvent" | "SequenceEndEvent":
                self._close(event)

    def _start_document(self, event: Any) -> None:
        self.num_documents += 1
        span = Span(1, 1, 1)
        if self.num_documents > 1:
            raise _Stop(
                Finding(span=_span(event), message="a second document starts here; a file holds one spec")
            )
        if event.version not in (None, (1, 2)):
            version = ".".join(map(str, event.version))
            raise _Stop(Finding(span=span, message=f"asks for YAML {version}; specs are YAML 1.2"))
        if event.tags:
            raise _Stop(Finding(span=span, message="a %TAG line; specs have no tags"))

    def _count(self, event: Any) -> None:
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES:
            raise _Stop(Finding(span=_span(event), message=f"has more than {MAX_NODES:,} values"))
        if len(self.stack) + self.skipping > MAX_DEPTH:
            raise _Stop(Finding(span=_span(event), message=f"is nested more than {MAX_DEPTH} levels deep"))

    def _open(self, event: Any, values: Any) -> None:
        if self.skipping or self._is_at_key():
            self._refuse_container_key(event)
            return
        if not self.stack and not isinstance(values, dict):
            raise _Stop(
                Finding(span=_span(event), message=f"is {kind_of(values)}; expected a mapping of keys")
            )
        path, key = self._next_path()
        self._refuse_decoration(event, path)
        self._place(path, key, _span(event))
        self._add(values)
        self.stack.append(_Container(values, path))

    def _refuse_container_key(self, event: Any) -> None:
        if not self.skipping:
            self._find(_span(event), "a list or mapping as a key; expected text")
        self.skipping += 1

    def _close(self, event: Any) -> None:
        if self.skipping:
            self.skipping -= 1
            if not self.skipping:  # the refused key's value is read under a name that nobody asks for
                self.stack[-1].key = ("", _span(event))
                self.unreadable.add((*self.stack[-1].path, ""))
            return
        self.stack.pop()

    def _leaf(self, event: Any) -> None:
        if self.skipping:
            return
        if self._is_at_key():
            self._take_key(event)
            return
        if not self.stack:
            raise _Stop(Finding(span=_span(event), message="is a single value; expected a mapping of keys"))
        path, key = self._next_path()
        is_absent = type(event).__name__ == "ScalarEvent" and event.implicit[0] and not event.value
        self._place(path, key, key if key and is_absent else _span(event))
        self._add(self._value(event, path))

    def _value(self, event: Any, path: KeyPath) -> Scalar:
        if type(event).__name__ == "AliasEvent":
            self._find(_span(event), f"an alias (*{event.anchor}); write the value out")
        elif not self._refuse_decoration(event, path) or not event.tag:
            try:
                return plain_scalar(event.value) if event.implicit[0] else str(event.value)
            except BadScalar as bad:
                self._find(_span(event), f"{key_text(path)} {bad}")
        self.unreadable.add(path)
        return None

    def _refuse_decoration(self, event: Any, path: KeyPath) -> bool:
        """Name an anchor or a tag as a mistake; True when there was one."""
        if event.anchor:
            self._find(_span(event), f"an anchor (&{event.anchor}); write the value out where it is needed")
        if event.tag:
            self._find(
                _span(event), f"a tag ({_short_tag(event.tag)}) at {key_text(path) or 'the top'}; remove it"
            )
        return bool(event.anchor or event.tag)

    def _take_key(self, event: Any) -> None:
        container, span = self.stack[-1], _span(event)
        key = self._key_text(event, container.path, span)
        if key in container.keys:
            message = f'duplicate key "{key}"; it stands in line {container.keys[key]} already'
            self._find(span, message)
        container.keys.setdefault(key, span.line)
        container.key = (key, span)

    def _key_text(self, event: Any, path: KeyPath, span: Span) -> str:
        if type(event).__name__ == "AliasEvent":
            self._find(span, f"an alias (*{event.anchor}) as a key; write the key out")
            return ""
        self._refuse_decoration(event, path)
        text = str(event.value)
        if event.implicit[0] and text == "<<":
            self._find(span, "a merge key (<<); write the keys out")
            self.unreadable.add((*path, text))
        elif event.implicit[0]:
            self._check_plain_key(text, path, span)
        return text

    def _check_plain_key(self, text: str, path: KeyPath, span: Span) -> None:
        try:
            value = plain_scalar(text)
        except BadScalar:
            value = 0.0
        older = (
            isinstance(value, int)
            and not isinstance(value, bool)
            and path[:1]
            and path[0] in self.number_keys_under
        )
        if _THOUSANDS.fullmatch(text) and path and not older:
            self._find(
                span, f"the key {text} is a whole number: a comma ends a value, write numbers without it"
            )
            self.unreadable.add((*path, text))
        elif not isinstance(value, str) and not older:
            self._find(span, f'the key {text or "(empty)"} is {kind_of(value)}; quote it: "{text}"')

    def _is_at_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].values, dict) and self.stack[-1].key is None

    def _next_path(self) -> tuple[KeyPath, Span | None]:
        if not self.stack:
            return (), None
        container = self.stack[-1]
        if container.key is None:
            return (*container.path, len(container.values)), None
        return (*container.path, container.key[0]), container.key[1]

    def _add(self, value: Any) -> None:
        if not self.stack:
            self.top = value
            return
        container = self.stack[-1]
        if container.key is None:
            container.values.append(value)
        else:
            container.values.setdefault(container.key[0], value)
            container.key = None

    def _place(self, path: tuple[Step, ...], key: Span | None, value: Span) -> None:
        self.places.setdefault(key_text(path), Place(key, value))

    def _find(self, span: Span, message: str) -> None:
        self.findings.append(Finding(span=span, message=message))


def _span(event: Any) -> Span:
    """Return the part of an event that is in its first line."""
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Span(start.line + 1, start.column + 1, max(1, width))


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
