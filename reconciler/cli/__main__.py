"""`reconcile`, also as `python -m reconciler.cli`."""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code.

    Starting and ending are most of a short command: looking for garbage costs a tenth of its time, and taking
    every module to pieces at the end another tenth. So neither is done.
    """
    if sys.argv[1:2] == ["__ids"]:  # of the shell, at every press of a key: nothing else is imported
        from reconciler.cli.live_ids import print_ids

        print_ids(sys.argv[2:])
        _leave(SystemExit(0))
    gc.disable()  # before the first import; a loop that runs for weeks turns it on again
    if "apply" not in sys.argv:  # it has threads, and all the time that it needs
        from reconciler.cli.light import lighten

        lighten()
    from reconciler.cli.group import reconcile

    try:
        reconcile.main(prog_name="reconcile")
    except SystemExit as end:
        _leave(end)


def _leave(end: SystemExit) -> NoReturn:
    """End the process without taking it to pieces, once what was printed is out; a reader may be gone."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed by whoever started us
                stream.flush()
    except OSError:
        raise end from None
    os._exit(end.code if isinstance(end.code, int) else 0)


if __name__ == "__main__":
    main()
