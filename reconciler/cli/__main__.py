"""`reconcile`, also as `python -m reconciler.cli`."""

from reconciler.cli.group import reconcile


def main() -> None:
    """Run the command line and leave with its exit code."""
    reconcile.main(prog_name="reconcile")


if __name__ == "__main__":
    main()
