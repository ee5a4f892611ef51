"""From spec files to `Desired`, or to every mistake in them.

Called by `app` with a tree from `git_source` or `worktree`; the result goes to `plan`. Pure but for what the
tree and the cache read. When the cache knows every file, neither ruamel nor pydantic is imported.
"""

from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.desired.desired import Desired, Source
from reconciler.desired.git_process import ExhaustedError
from reconciler.desired.kinds import (
    CAMPAIGN,
    DATASET,
    HERO,
    HOSTS,
    KINDS,
    QUEUE,
    REALM,
    RETENTION,
    SKILL,
    BadPlaceError,
    PlacedSpec,
    place_of,
    shown,
)
from reconciler.desired.mistakes import Mistake, SpecMistakesError
from reconciler.desired.parse_cache import Cache
from reconciler.desired.places import Finding, KeyPath, span_of
from reconciler.desired.tree import SpecFile, SpecTree

if TYPE_CHECKING:
    from reconciler.desired.yaml_nodes import Document


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """What the cache keeps of one file without mistakes."""

    values: msgspec.Raw
    places: msgspec.Raw


class LoadedSpec(msgspec.Struct, frozen=True, array_like=True):
    """One spec without mistakes, to be kept: what its file says, and where. Defaults are no part of it."""

    kind: str
    name: str
    path: str
    blob_id: str
    values: bytes
    places: bytes

    def source(self) -> Source[Any]:
        """Return the spec.

        Raises:
            KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError: another version wrote this.
        """
        spec = msgspec.json.decode(self.values, type=_TYPES[self.kind])
        return Source(
            name=self.name, path=self.path, blob_id=self.blob_id, spec=spec, encoded_places=self.places
        )


_TYPES = {kind.name: kind.type for kind in KINDS}


def load(tree: SpecTree, cache: Cache) -> Desired:
    """Return what the specs say.

    Raises:
        SpecMistakesError: something is wrong; holds every mistake of every file.
        ExhaustedError: nothing is known to be wrong, but this machine could not read them now.
    """
    return desired_of(load_all(tree, cache))


def load_all(tree: SpecTree, cache: Cache) -> list[tuple[LoadedSpec, Source[Any]]]:
    """Return every spec, none of which has a mistake; raises as `load` does."""
    loader = _Loader(tree, cache)
    for file in tree.files:
        loader.take(file)
    loader.check_twins()
    loader.check_references()
    if loader.mistakes:
        raise SpecMistakesError(loader.mistakes, num_specs=loader.num_specs, num_unread=loader.num_unread)
    return loader.loaded


def desired_of(loaded: Iterable[tuple[LoadedSpec, Source[Any]]]) -> Desired:
    """Return specs that fit together as a whole."""
    by_kind: dict[str, dict[str, Source[Any]]] = {kind.name: {} for kind in KINDS}
    for spec, source in loaded:
        by_kind[spec.kind][spec.name] = source
    return Desired(
        realm=by_kind[REALM.name][""],
        queue=by_kind[QUEUE.name].get(""),
        retention=by_kind[RETENTION.name].get(""),
        hosts=by_kind[HOSTS.name].get(""),
        heroes=by_kind[HERO.name],
        campaigns=by_kind[CAMPAIGN.name],
        skills=by_kind[SKILL.name],
        datasets=by_kind[DATASET.name],
    )


class _Loader:
    """Collects sources and mistakes over all files."""

    def __init__(self, tree: SpecTree, cache: Cache) -> None:
        self.tree = tree
        self.cache = cache
        self.loaded: list[tuple[LoadedSpec, Source[Any]]] = []
        self.mistakes: list[Mistake] = list(tree.mistakes)
        self.sources: dict[str, dict[str, Source[Any]]] = {kind.name: {} for kind in KINDS}
        """Kind → name → what was read without mistakes."""
        self.names: dict[str, list[str]] = {kind.name: [] for kind in KINDS}
        """Kind → names by their files, readable or not: a broken file is no unknown name."""
        self.rough: dict[str, dict[str, Source[Any]]] = {kind.name: {} for kind in KINDS}
        """Kind → name → what can be read in spite of mistakes; only for checking names."""
        self.wrong: set[tuple[str, KeyPath]] = set()
        """Path and key path of every mistake: one place is told once."""
        self.num_specs = 0
        self.num_unread = len(tree.mistakes)

    def take(self, file: SpecFile) -> None:
        try:
            placed = place_of(file.path)
        except BadPlaceError as bad:
            self.num_specs += 1
            self.mistakes.append(bad.mistake)
            return
        if placed is None:
            return
        self.num_specs += 1
        self.names[placed.kind.name].append(placed.name)
        source = self._cached(file, placed) or self._parsed(file, placed)
        if source is not None:
            self.sources[placed.kind.name][placed.name] = source
            self._check_id(placed, source)

    def _cached(self, file: SpecFile, placed: PlacedSpec) -> Source[Any] | None:
        entry = self.cache.get(_key(file, placed))
        if entry is None:
            return None
        try:
            kept = msgspec.json.decode(entry, type=_Entry)
            return self._source(file, placed, bytes(kept.values), bytes(kept.places))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # not ours after all: read the file

    def _parsed(self, file: SpecFile, placed: PlacedSpec) -> Source[Any] | None:
        content = self.tree.read(file)
        try:
            return self._examined(file, placed, content)
        except (MemoryError, OSError) as error:
            raise _exhausted(shown(file.path), error) from error
        except Exception as error:  # noqa: BLE001 - one file that we fail on must not end a loop that trains
            self.num_unread += 1
            self.mistakes.append(_our_own(shown(file.path), error))
            return None

    def _examined(self, file: SpecFile, placed: PlacedSpec, content: bytes) -> Source[Any] | None:
        from reconciler.desired.partial import between_keys
        from reconciler.desired.validation import check_values
        from reconciler.desired.yaml_nodes import parse

        document = parse(content, number_keys_under=placed.kind.number_keys_under)
        findings = list(document.findings)
        source = None
        if document.values or not findings:
            values, more = check_values(placed.kind, document.values)
            findings += [one for one in more if not _is_told(one, document.unreadable)]
            if findings:
                findings += between_keys(placed.kind, document.values, findings, document.unreadable)
            else:
                places = msgspec.json.encode(document.places)
                source = self._source(file, placed, values, places)
                findings += placed.kind.check(source.spec)
        if findings:
            self._add(file, content, findings, document.places)
            self._keep_rough(file, placed, document)
            return None
        entry = _Entry(values=msgspec.Raw(values), places=msgspec.Raw(places))
        self.cache.put(_key(file, placed), msgspec.json.encode(entry))
        return source

    def _source(self, file: SpecFile, placed: PlacedSpec, values: bytes, places: bytes) -> Source[Any]:
        spec = LoadedSpec(placed.kind.name, placed.name, file.path, file.blob_id, values, places)
        source = spec.source()
        self.loaded.append((spec, source))
        return source

    def _keep_rough(self, file: SpecFile, placed: PlacedSpec, document: "Document") -> None:
        from reconciler.desired.rough import rough_spec

        if not document.values:
            self.num_unread += 1
            return
        spec: Any = rough_spec(placed.kind.name, document.values)
        places = msgspec.json.encode(document.places)
        source = Source(
            name=placed.name, path=file.path, blob_id=file.blob_id, spec=spec, encoded_places=places
        )
        self.rough[placed.kind.name][placed.name] = source
        if spec.id is not None and (file.path, ("id",)) not in self.wrong:
            self._check_id(placed, source)

    def _add(self, file: SpecFile, content: bytes, findings: Iterable[Finding], places: Any) -> None:
        from reconciler.desired.yaml_text import readable_lines

        lines = readable_lines(content)
        for finding in findings:
            self.wrong.add((file.path, finding.at))
            self.mistakes.append(located(file.path, finding, places, lines))

    def _find(self, source: Source[Any], finding: Finding) -> None:
        """Note a mistake in a file that was read before; its text is read once more to show the line."""
        file = SpecFile(path=source.path, blob_id=source.blob_id)
        self._add(file, self.tree.read(file), [finding], source.places)

    def _check_id(self, placed: PlacedSpec, source: Source[Any]) -> None:
        stem = placed.name.rpartition("/")[2]
        if stem and source.spec.id not in placed.kind.ids_of(stem, source.spec):
            message = f'is "{source.spec.id}", but the file is {stem}.yaml'
            self._find(source, Finding(at=("id",), message=message, hint="make them equal"))

    def check_twins(self) -> None:
        """Find names that differ in upper and lower case only: some file systems hold only one of them."""
        seen: dict[str, str] = {}
        for file in self.tree.files:
            twin = seen.setdefault(file.path.casefold(), file.path)
            if twin != file.path:
                message = f"differs from {shown(twin)} in upper and lower case only"
                self.mistakes.append(Mistake(path=shown(file.path), message=message, hint="rename one"))

    def check_references(self) -> None:
        from reconciler.desired import references

        if "" not in self.names["realm"]:
            hint = "every realm has this file: reconcile init writes one"
            self.mistakes.append(Mistake(path="specs/realm.yaml", message="is missing", hint=hint))
        sources = {kind: {**self.sources[kind], **rough} for kind, rough in self.rough.items()}
        try:
            found = list(references.check(sources, self.names))
        except (MemoryError, OSError) as error:
            raise _exhausted("specs", error) from error
        except Exception as error:  # noqa: BLE001 - as for one file
            self.mistakes.append(_our_own("specs", error))
            return
        for source, finding in found:
            if (source.path, finding.at) not in self.wrong:
                self._find(source, finding)


def located(path: str, finding: Finding, places: Any, lines: list[str]) -> Mistake:
    """Return a finding as a mistake: with its line and column, and the text there."""
    span = finding.span or span_of(places, finding.at, on_key=finding.on_key)
    has_line = span is not None and span.line <= len(lines)
    return Mistake(
        path=shown(path),
        line=span.line if span else 0,
        column=span.column if span else 0,
        width=span.width if span else 1,
        message=finding.message,
        known=finding.known,
        nearest=finding.nearest,
        hint=finding.hint,
        source_line=lines[span.line - 1] if span and has_line else None,
    )


def _exhausted(path: str, error: MemoryError | OSError) -> ExhaustedError:
    """Return what is told of specs that were not read for want of something that this machine had not."""
    why = "no memory left" if isinstance(error, MemoryError) else error
    return ExhaustedError(
        f"{path} could not be read now: {why}; this says nothing about the file: try it again"
    )


def _our_own(path: str, error: Exception) -> Mistake:
    """Return what is told of specs that we fail on ourselves: the specs in force before stay in force."""
    from traceback import extract_tb

    at = extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(at.filename).name}:{at.lineno}"
    return Mistake(
        path=path,
        message=f"reconcile itself fails on it ({type(error).__name__}: {error}, at {place})",
        hint="take back what was changed last; this is no mistake of yours: please report it",
    )


def _key(file: SpecFile, placed: PlacedSpec) -> str:
    return f"{file.blob_id}-{placed.kind.name}"


def _is_told(finding: Finding, unreadable: Iterable[KeyPath]) -> bool:
    """Does this follow from what could not be read? A key may be misspelt beside its unreadable value."""
    if finding.on_key and finding.nearest:
        return False
    return any(finding.at[: len(path)] == path for path in unreadable)
