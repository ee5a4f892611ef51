"""What apply tells systemd, as sd_notify has it: that it is ready, lives, and leaves. Else nothing."""

import os
import socket
import time
from collections.abc import Mapping

_BETWEEN_SECONDS = 20.0


class Notifier:
    """Sends datagrams to the socket that `NOTIFY_SOCKET` names; one that is lost is none that matters."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        address = variables.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address[:1] == "@" else address
        self._told_at = 0.0

    def ready(self) -> None:
        """Tell that the lock is held and the loop begins."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Tell that it goes on; may be called as often as one likes."""
        if self._address and time.monotonic() - self._told_at >= _BETWEEN_SECONDS:
            self._told_at = time.monotonic()
            self._tell("WATCHDOG=1")

    def leaves(self) -> None:
        """Tell that it ends by itself."""
        self._tell("STOPPING=1")

    def _tell(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
                end.sendto(words.encode(), self._address)
        except OSError:
            return
