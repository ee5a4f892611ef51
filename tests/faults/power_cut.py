"""Every state in which a power cut may leave a folder, as far as POSIX allows, from the calls that were made.

As ALICE (Pillai et al., OSDI 2014) and CrashMonkey (Mohan et al., OSDI 2018) do, for calls instead of blocks:
- Content that was not fsynced may be old, half new, or new.
- An entry of a folder that was not fsynced may be there or not, each by itself; those of one name in order.
- A rename replaces as one step. Where it goes from one folder to another, the old name may stay until the old
  folder is fsynced; it never goes before the new one is there (journalling file systems promise more).
- The fsync of a file says nothing about its name.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from typing import NamedTuple

from kept_state import Entry, State
from tape import Event

MOST_PENDING = 6
"""Of so many entries every subset is tried; of more, all, none, and all but one or only one."""


class Node:
    """A file, a folder or a link, whatever names it has."""

    def __init__(self, kind: str, content: bytes = b"", durable: bytes = b"") -> None:
        self.kind, self.content, self.durable = kind, content, durable
        self._entry = Entry(kind, 0, content, 0)

    def entry(self) -> Entry:
        """Return it as processes see it; made once for each content, as it is asked for thousands of times."""
        if self._entry.content is not self.content:
            self._entry = Entry(self.kind, 0, self.content, 0)
        return self._entry

    def contents(self) -> Sequence[bytes]:
        """Return what it may hold after a power cut, the newest first."""
        if self.kind != "file" or self.content == self.durable:
            return (self.content,)
        start = len(self.durable) if self.content.startswith(self.durable) else 0
        return self.content, self.content[: (start + len(self.content)) // 2], self.durable


Place = tuple[Node, str]
"""A folder, and a name in it."""


class Op(NamedTuple):
    """A change of one entry that is not durable yet."""

    place: Place
    node: Node | None
    """What has the name from then on; None: nothing."""
    needs: "Op | None" = None
    """Is never lost while this is kept: the new name of a rename."""


class Disk:
    """A folder as the processes see it, and what of that a power cut cannot take."""

    def __init__(self, template: State) -> None:
        self.root = Node("folder")
        self._now: dict[Place, Node] = {}
        self._durable: dict[Place, Node] = {}
        self._pending: list[Op] = []
        self.store = b""
        for path, entry in template.items():
            if path.startswith("realm.db"):
                self.store = entry.content if path == "realm.db" else self.store
                continue
            place = self._place(path)
            assert place is not None, path
            self._now[place] = self._durable[place] = Node(entry.kind, entry.content, entry.content)

    def do(self, event: Event) -> None:
        """Make the change that a call made."""
        getattr(self, f"_{event.what}", self._nothing)(event)

    def _nothing(self, _event: Event) -> None:
        """A failpoint changes nothing."""

    def _place(self, path: str) -> Place | None:
        folder, *rest = path.split("/")
        place = self.root, folder
        for name in rest:
            node = self._now.get(place)
            if node is None:
                return None  # in a staging folder of a process that nobody recorded
            place = node, name
        return place

    def _node(self, path: str) -> Node | None:
        if path == "":
            return self.root
        place = self._place(path)
        return self._now.get(place) if place else None

    def _set(self, path: str, node: Node | None, needs: Op | None = None) -> Op | None:
        place = self._place(path)
        if place is None or (node is None and place not in self._now):
            return None
        if node is None:
            del self._now[place]
        else:
            self._now[place] = node
        op = Op(place, node, needs)
        self._pending.append(op)
        return op

    def _create(self, event: Event) -> None:
        node = self._node(event.path)
        if node is None:
            self._set(event.path, Node("file"))
        else:
            node.content = b""

    def _write(self, event: Event) -> None:
        node = self._node(event.path)
        if node is not None:
            node.content += event.content

    def _fsync(self, event: Event) -> None:
        node = self._node(event.path)
        if node is None:  # made by a child
            node = Node("file")
            self._set(event.path, node)
        if node.kind == "file":
            node.content = event.content  # whoever wrote it
        node.durable = node.content
        self._keep([op for op in self._pending if op.place[0] is node])

    def _keep(self, ops: Sequence[Op]) -> None:
        kept = {id(op) for op in ops} | {id(op.needs) for op in ops if op.needs is not None}
        for op in self._pending:
            if id(op) in kept:
                _apply(self._durable, op)
        self._pending = [op for op in self._pending if id(op) not in kept]

    def _syncfs(self, _event: Event) -> None:
        for node in self._now.values():
            node.durable = node.content
        self._keep(self._pending)

    def _rename(self, event: Event) -> None:
        node = self._node(event.path)
        if node is None:
            node = Node("file", event.content)
        source, target = self._place(event.path), self._place(event.other)
        assert target is not None, event
        new = self._set(event.other, node)
        if source is not None and source in self._now:
            self._set(event.path, None, new)
            if source[0] is target[0]:  # one folder: one step
                self._join()

    def _join(self) -> None:
        """Let the last two entries be kept or lost together: a rename within a folder."""
        new, old = self._pending[-2:]
        self._pending[-2:] = [Joined(new.place, new.node, None, old.place)]

    def _link(self, event: Event) -> None:
        self._set(event.other, self._node(event.path))

    def _unlink(self, event: Event) -> None:
        self._set(event.path, None)

    def _mkdir(self, event: Event) -> None:
        self._set(event.path, Node("folder"))

    def _symlink(self, event: Event) -> None:
        self._set(event.path, Node("link", event.other.encode(), event.other.encode()))

    def _commit(self, event: Event) -> None:
        self.store = event.content

    def states(self, *, as_journalled: bool = False) -> Iterator[State]:
        """Yield every state that a power cut now may leave; what lies in staging places tells nothing.

        `as_journalled`: only those in which each rename is one step, as on the file systems of today.
        """
        seen: set[frozenset[tuple[str, bytes]]] = set()
        for kept in _subsets(self._pending):
            if as_journalled and not _is_journalled(kept, self._pending):
                continue
            entries = dict(self._durable)
            for op in kept:
                _apply(entries, op)
            for state in _with_contents(entries, self.root):
                key = frozenset((path, entry.content) for path, entry in state.items())
                if key not in seen:
                    seen.add(key)
                    yield state

    def settled(self) -> State:
        """Return the folder as processes see it."""
        return _walked(self._now, self.root)[0]


class Joined(Op):
    """A rename within one folder."""

    def __new__(cls, place: Place, node: Node | None, needs: Op | None, old: Place) -> "Joined":
        made = super().__new__(cls, place, node, needs)
        made.old = old
        return made


def _apply(entries: dict[Place, Node], op: Op) -> None:
    if isinstance(op, Joined):
        entries.pop(op.old, None)
    if op.node is None:
        entries.pop(op.place, None)
    else:
        entries[op.place] = op.node


def _subsets(pending: Sequence[Op]) -> Iterator[Sequence[Op]]:
    numbers = range(len(pending))
    if len(pending) <= MOST_PENDING:
        chosen = chain.from_iterable(combinations(numbers, size) for size in range(len(pending) + 1))
    else:
        chosen = chain(
            [(), tuple(numbers)],
            ((n,) for n in numbers),
            (tuple(m for m in numbers if m != n) for n in numbers),
        )
    for picked in chosen:
        if _is_possible([pending[n] for n in picked], pending):
            yield [pending[n] for n in picked]


def _is_possible(kept: Sequence[Op], pending: Sequence[Op]) -> bool:
    """No name goes before its new one is there; changes of one name are kept in their order."""
    there = {id(op) for op in kept}
    for number, op in enumerate(pending):
        if id(op) in there:
            if op.needs is not None and id(op.needs) not in there and any(op.needs is one for one in pending):
                return False
            if any(earlier.place == op.place and id(earlier) not in there for earlier in pending[:number]):
                return False
    return True


def _is_journalled(kept: Sequence[Op], pending: Sequence[Op]) -> bool:
    """Goes every old name with its new one?"""
    left = [op for op in pending if op.needs is not None and all(op is not one for one in kept)]
    return not any(
        all(op.needs is not one for one in pending) or any(op.needs is one for one in kept) for op in left
    )


def _with_contents(entries: dict[Place, Node], root: Node) -> Iterator[State]:
    """Yield the folder with every content new, then with one of the unsynced ones older."""
    state, unsynced = _walked(entries, root)
    yield state
    for node, paths in unsynced.items():
        for content in node.contents()[1:]:
            yield state | {path: Entry(node.kind, 0, content, 0) for path in paths}


def _walked(entries: dict[Place, Node], root: Node) -> tuple[State, dict[Node, list[str]]]:
    """Return what has a real name, a folder before what is in it, and the names of each file that may be older."""
    inside: dict[Node, list[tuple[str, Node]]] = {}
    for (folder, name), node in entries.items():
        inside.setdefault(folder, []).append((name, node))
    state: State = {}
    unsynced: dict[Node, list[str]] = {}
    folders = [("", root)]
    while folders:
        start, folder = folders.pop()
        for name, node in inside.get(folder, ()):
            if name.startswith(".staging-"):
                continue
            state[start + name] = node.entry()
            if node.kind == "folder":
                folders.append((f"{start}{name}/", node))
            elif node.content is not node.durable:
                unsynced.setdefault(node, []).append(start + name)
    return state, unsynced
