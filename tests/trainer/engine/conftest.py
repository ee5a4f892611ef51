"""What the tests of the engine share."""

import signal
from collections.abc import Iterator

import pytest

from state import failpoints


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Give signals and failpoints back as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    failpoints.observe(None)
    for number, handler in before.items():
        signal.signal(number, handler)
