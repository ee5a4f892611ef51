"""What can be wrong with a checkpoint."""


class CheckpointError(Exception):
    """A checkpoint that is incomplete, damaged, or not the one that was asked for."""
