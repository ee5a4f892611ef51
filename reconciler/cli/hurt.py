"""`python -m reconciler.cli.hurt`: the command line as `chaos` hurts it, by failpoint or clock.

`REALM_CHAOS_FAILPOINT="12:kill"` strikes at the twelfth failpoint of the reconciler (the trainer has a
variable of its own); `REALM_CHAOS_CLOCK="-86400"` sets the clock so many seconds off.
"""

import os
from datetime import UTC, datetime, timedelta

from reconciler.app.surroundings import environment
from reconciler.cli.__main__ import main
from state.failpoints import arm_from_environment


def _set_clock(seconds: float) -> None:
    def now() -> str:
        return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    environment.utc_now = now


if __name__ == "__main__":
    arm_from_environment("REALM_CHAOS_FAILPOINT")
    if shift := os.environ.get("REALM_CHAOS_CLOCK"):
        _set_clock(float(shift))
    main()
