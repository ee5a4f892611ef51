"""How many threads compute."""

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from trainer.engine.threads import PARAMETERS_PER_THREAD, fitting_threads, use_threads


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_tiny_model_computes_with_one_thread() -> None:
    use_threads(None, 100_000, {})
    assert torch.get_num_threads() == 1


def test_what_the_request_asks_for_is_used() -> None:
    use_threads(2, 100_000, {"OMP_NUM_THREADS": "1"})
    assert torch.get_num_threads() == 2


def test_what_the_environment_says_stays() -> None:
    use_threads(None, 100_000, {"OMP_NUM_THREADS": "2"})
    assert torch.get_num_threads() == 2


def test_a_larger_model_gets_more_threads_and_never_more_than_there_are() -> None:
    assert [fitting_threads(n * PARAMETERS_PER_THREAD, 4) for n in (0, 1, 3, 4, 900)] == [1, 1, 3, 4, 4]
