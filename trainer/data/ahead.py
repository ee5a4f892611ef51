"""Something pure made ahead by a thread: what is asked for next is there when it is asked for.

The thread makes what it was told to make, nothing else; who asks for anything else gets that, made at once.
So what comes out never depends on how far the thread got. It stays from one thing to the next: a new thread
has memory and settings of torch to make ready first.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """At most one thing, made ahead."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._begun: tuple[Hashable, Future[T]] | None = None

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes: as it was made ahead under this key, else made now.

        Raises:
            Exception: whatever `make` raises.
        """
        begun, self._begun = self._begun, None
        if begun is None:
            return make()
        begun_key, future = begun
        future.exception()  # nothing else is made while the thread is at work
        return future.result() if begun_key == key else make()

    def begin(self, key: Hashable, make: Callable[[], T]) -> None:
        """Let the thread make what will be asked for under this key."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="next-update")
        self._begun = key, self._thread.submit(make)

    def stop(self) -> None:
        """Wait until no thread of ours is left."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
