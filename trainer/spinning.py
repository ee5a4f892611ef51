"""How long a thread that waits for the others spins before it sleeps; said before torch loads its OpenMP.

GNU's OpenMP, which torch has on Linux, spins 300,000 times, some milliseconds. On a machine with other work
the thread that it waits for does not run meanwhile: updates of a hero of 1.3 million parameters took 1.2 s
with two threads on two cores that eight processes wanted, and 0.15 to 0.3 s at SPINS. On a quiet machine they
take the same at SPINS, and half as long again with none. Results do not depend on it.
"""

from collections.abc import MutableMapping

SPINS = 10_000
SPIN_COUNT, _WAIT_POLICY = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"
"""Environment variables of libgomp and of every OpenMP; who sets one is obeyed."""


def spin_briefly(environment: MutableMapping[str, str]) -> None:
    """Let threads sleep soon where the environment does not say how they wait."""
    if not environment.get(_WAIT_POLICY):
        environment.setdefault(SPIN_COUNT, str(SPINS))
