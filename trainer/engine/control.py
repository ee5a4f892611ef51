"""What others want from the running trainer: orders in a file, and the signals to leave.

Asked at update boundaries, so a look must cost next to nothing: one stat call, and the file is read
only when it was replaced.
"""

import signal
from pathlib import Path
from types import FrameType

from state.contract.files import ContractError, read
from state.contract.orders import Orders
from trainer.engine.failures import EnvironmentFailure

_Stamp = tuple[int, int, int]


class Control:
    """The orders as they are now, and whether a signal asked to leave."""

    def __init__(self, orders_file: Path) -> None:
        self._file = orders_file
        self._stamp: _Stamp | None = None
        self._orders: Orders | None = None
        self._signal: str | None = None

    def listen(self) -> None:
        """From now on SIGTERM and SIGINT ask to save and leave at the next update boundary."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def orders(self) -> Orders:
        """Return the newest orders.

        Raises:
            EnvironmentFailure: the file is missing or cannot be understood.
        """
        try:
            found = self._file.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp or self._orders is None:
                self._orders, self._stamp = read(self._file, Orders), stamp
        except FileNotFoundError:
            raise EnvironmentFailure(f"{self._file}: there are no orders") from None
        except ContractError as error:
            raise EnvironmentFailure(str(error)) from error
        return self._orders

    def stop_reason(self) -> str | None:
        """Return why to save and leave now: the orders' own words, else the signal; None to go on."""
        return self.orders().stop or self._signal

    def is_preempted(self) -> bool:
        """Did a signal ask to leave that the reconciler did not send? Its orders would say why."""
        return self.has_signal() and self.orders().stop is None

    def has_signal(self) -> bool:
        """Did a signal ask to leave?"""
        return self._signal is not None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signal = f"received {signal.Signals(number).name}"
