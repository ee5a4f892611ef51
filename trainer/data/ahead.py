"""Something pure made ahead by a thread: what is asked for next is there when it is asked for.

The thread makes what it was told to make, nothing else; who asks for anything else gets that, made at once.
So what comes out never depends on how far the thread got.
"""

from collections.abc import Callable, Hashable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """At most one thing, made ahead."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._made: dict[Hashable, T | Exception] = {}

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes: as it was made ahead under this key, else made now.

        Raises:
            Exception: whatever `make` raises.
        """
        self.stop()
        made, self._made = self._made, {}
        found = made[key] if key in made else make()
        if isinstance(found, Exception):
            raise found
        return found

    def begin(self, key: Hashable, make: Callable[[], T]) -> None:
        """Let a thread make what will be asked for under this key."""
        self.stop()
        self._made = {}
        self._thread = Thread(target=self._keep, args=(key, make), name="next-update")
        self._thread.start()

    def stop(self) -> None:
        """Wait until no thread of ours is left."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _keep(self, key: Hashable, make: Callable[[], T]) -> None:
        try:
            self._made[key] = make()
        except Exception as error:  # noqa: BLE001 - it is raised where the thing is taken
            self._made[key] = error
