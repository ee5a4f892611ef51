"""Freed memory is kept, not handed back to the system."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from trainer.engine.failures import EnvironmentFailure
from trainer.engine.host_memory import keep_freed_memory


class Library:
    """A C library that notes which options it is given."""

    def __init__(self, *, answer: int = 1) -> None:
        self.asked: list[tuple[int, int]] = []
        self._answer = answer

    def mallopt(self, option: int, value: int) -> int:
        self.asked.append((option, value))
        return self._answer


def test_large_blocks_stay_in_the_heap_and_the_heap_is_never_trimmed() -> None:
    library = Library()
    assert keep_freed_memory(library)
    assert library.asked == [(-3, 33_554_432), (-1, 2_147_483_647)]


def test_this_machines_library_takes_them() -> None:
    assert keep_freed_memory() is True


def test_a_c_library_without_the_option_is_left_alone() -> None:
    assert keep_freed_memory(object()) is False


def test_a_refusal_is_told() -> None:
    with pytest.raises(EnvironmentFailure, match=r"mallopt\(-3, 33554432\) was refused"):
        keep_freed_memory(Library(answer=0))
