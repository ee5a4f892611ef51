"""The last word of a run, `exit.json`: room for it is set aside, so that a full disk hides no end.

Where nothing helps, the log has the record; the reconciler reads it there.
"""

from pathlib import Path

import msgspec

from state.atomic import write_json
from state.contract.exit import UNWRITTEN_EVENT, UNWRITTEN_KEY, RunExit
from trainer.engine.full_disk import Reserve, is_full
from trainer.engine.log import say

_MOST_CHARACTERS = 2000
"""Six bytes each at most, as JSON."""


class LastWord:
    """Writes why a run ended, also on a full disk."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reserve = Reserve(file)

    def prepare(self) -> None:
        """Set room aside for it."""
        self._reserve.hold()

    def write(self, record: RunExit) -> bool:
        """Write it, or else print it; say whether it is written."""
        try:
            self._write(record)
        except OSError as error:
            said = {"error": error, UNWRITTEN_KEY: msgspec.json.encode(record).decode()}
            say(UNWRITTEN_EVENT, **said)
            return False
        finally:
            self._reserve.give_up()
        return True

    def _write(self, record: RunExit) -> None:
        try:
            write_json(self._file, record)
        except OSError as error:
            if not (is_full(error) and self._reserve.write(msgspec.json.encode(_short(record)) + b"\n")):
                raise


def _short(record: RunExit) -> RunExit:
    """Return the record with as much of its message as has room; the log has all of it."""
    return msgspec.structs.replace(record, message=record.message[:_MOST_CHARACTERS])
