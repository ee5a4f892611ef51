"""`make bench`: our figures beside those of a peer, measured in one run. Prints ratios, asserts nothing.

One file a claim; each has `measure(realm) -> list of lines`. Run one alone with its name as the argument;
`gsm8k_losses` always is, since it takes minutes. How fast the machine was stands beside what it says: see
`machine`.
"""

import importlib.util
import sys
import tempfile
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
CLAIMS = (
    "command_line",
    "large_plan",
    "other_tools",
    "retention",
    "loop",
    "first_update",
    "training_speed",
    "big_vocabulary",
    "checkpoint_stall",
    "resume",
    "scrub",
    "copies",
    "drop",
    "journal",
    "muon_step",
)


def main() -> int:
    """Measure all claims, or those named, in a realm made for it."""
    for name in sys.argv[1:] or CLAIMS:
        claim = load(name)
        print(f"\n{name}: {claim.__doc__.strip().splitlines()[0]}", flush=True)
        before = machine.bare_start()
        with tempfile.TemporaryDirectory(prefix="realm-bench-") as folder:
            for line in claim.measure(Path(folder)):
                print(f"  {line}", flush=True)
        after = machine.bare_start()
        print(f"  the machine: python -c pass {before * 1000:.1f} ms before, {after * 1000:.1f} ms after")
    return 0


def load(name: str) -> object:
    """Return the module of this name beside this file."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
