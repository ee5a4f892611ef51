# ruff: noqa: PTH104, PTH108, PTH120, PTH123
# Without pathlib, which is slow to import: this is started hundreds of times.
"""A real process that behaves as a trainer does towards the reconciler, and trains nothing.

It claims its run with a file that is created once, waits for SIGTERM, writes why it left and goes. Standard
library only, so that it starts in a few milliseconds. Called as: tiny_trainer.py run --request FILE
"""

import json
import os
import signal
import sys

TIME = "2026-01-31T12:00:00Z"


def own_identity() -> dict[str, object]:
    with open("/proc/self/stat", encoding="utf-8") as file:
        start_ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot_id = file.read().strip()
    cookie = os.environ["REALM_RUN_COOKIE"]
    return {
        "pid": os.getpid(), "boot_id": boot_id, "start_ticks": start_ticks, "cookie": cookie, "claimed_at": TIME,
    }  # fmt: skip


def write(path: str, record: dict[str, object]) -> None:
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as file:
        json.dump(record, file)


def claim(folder: str) -> None:
    path = f"{folder}/process.json"
    write(path, own_identity())
    try:
        os.link(f"{path}.{os.getpid()}", path)
    except FileExistsError:
        sys.exit(75)
    finally:
        os.unlink(f"{path}.{os.getpid()}")
    with open(f"{folder}/claims.log", "a", encoding="utf-8") as file:
        file.write("claimed\n")


def leave(folder: str) -> None:
    path = f"{folder}/exit.json"
    record = {
        "reason": "stopped",
        "message": "asked to",
        "step": 7,
        "last_checkpoint_step": 7,
        "exited_at": TIME,
    }
    write(path, record)
    os.rename(f"{path}.{os.getpid()}", path)
    sys.exit(0)


def main() -> None:
    run, flag, request = sys.argv[1:]
    assert (run, flag) == ("run", "--request"), sys.argv
    folder = os.path.dirname(request)
    # Blocked until it is waited for: one that comes between a look and signal.pause() would wake nobody.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    claim(folder)
    print("training", flush=True)
    while "REALM_TEST_DEAF" in os.environ:
        signal.sigwait({signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})
    leave(folder)


main()
