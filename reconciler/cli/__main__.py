"""`reconcile`, also as `python -m reconciler.cli`."""

import gc

from reconciler.cli.group import reconcile


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.disable()  # a command makes hardly any garbage, and looking for it costs a tenth of its time
    reconcile.main(prog_name="reconcile")


if __name__ == "__main__":
    main()
