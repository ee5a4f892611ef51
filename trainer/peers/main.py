"""`python -m trainer watch --run FOLDER -- COMMAND...`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from trainer.peers.watching import watch


def main(arguments: Sequence[str]) -> int:
    """Run the command as a run and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer watch",
        description="Launch a script of another trainer (transformers' Trainer, TRL) and watch it as a run.",
        epilog="example: python -m trainer watch --run runs/g1-a1 -- python train.py --max_steps 100",
    )
    parser.add_argument(
        "--run", type=Path, required=True, metavar="FOLDER", help="made where it is not there"
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --, with its arguments")
    options = parser.parse_args(list(arguments))
    return watch(options.run, options.command)
