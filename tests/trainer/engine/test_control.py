"""What others want of the running trainer."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.atomic import write_json
from state.contract.orders import Orders
from trainer.engine.control import Control
from trainer.engine.failures import EnvironmentFailure


@pytest.fixture
def handlers() -> Iterator[None]:
    """Give the signals back as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_replaced_orders_are_seen_at_the_next_look(tmp_path: Path) -> None:
    write_json(tmp_path / "orders.json", Orders(sequence=1, quests=()))
    control = Control(tmp_path / "orders.json")
    assert control.orders().sequence == 1

    write_json(tmp_path / "orders.json", Orders(sequence=2, quests=(), stop="another hero is active"))

    assert control.orders().sequence == 2
    assert control.stop_reason() == "another hero is active"


def test_unchanged_orders_are_not_read_again(tmp_path: Path) -> None:
    write_json(tmp_path / "orders.json", Orders(sequence=1, quests=()))
    control = Control(tmp_path / "orders.json")
    assert control.orders() is control.orders()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_leave(tmp_path: Path, handlers: None, number: signal.Signals) -> None:
    write_json(tmp_path / "orders.json", Orders(sequence=1, quests=()))
    control = Control(tmp_path / "orders.json")
    control.listen()
    assert control.stop_reason() is None

    os.kill(os.getpid(), number)

    assert control.stop_reason() == f"received {number.name}"


def test_missing_orders_are_an_error_of_the_environment(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match=r"orders\.json: there are no orders"):
        Control(tmp_path / "orders.json").orders()


def test_torn_orders_are_an_error_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text('{"sequence": 1, "que', encoding="utf-8")
    with pytest.raises(EnvironmentFailure, match=r"orders\.json: not a Orders"):
        Control(tmp_path / "orders.json").orders()
