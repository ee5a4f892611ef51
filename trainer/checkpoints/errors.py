"""What can be wrong with a checkpoint."""


class CheckpointError(Exception):
    """A checkpoint that is incomplete, damaged, or not the one that was asked for."""


class NameTakenError(CheckpointError):
    """Something lies where a checkpoint is to be saved; it was left untouched."""
