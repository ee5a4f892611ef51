"""Something pure made ahead by a thread: what is asked for next is there when it is asked for.

The thread makes what it was told to make, nothing else; who asks for anything else gets that, made at once.
So what comes out never depends on how far the thread got.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """At most one thing, made ahead."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-update")
        self._key: Hashable = None
        self._made: Future[T] | None = None

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes: as it was made ahead under this key, else made now.

        Raises:
            Exception: whatever `make` raises.
        """
        made, self._made = self._made, None
        if made is not None and key == self._key:
            return made.result()
        if made is not None:
            made.cancel()
        return make()

    def begin(self, key: Hashable, make: Callable[[], T]) -> None:
        """Let the thread make what will be asked for under this key."""
        self._key, self._made = key, self._threads.submit(make)
