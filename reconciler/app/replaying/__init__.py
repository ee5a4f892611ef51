"""`replay`: a checkpoint made again from its parent, compared, and put back where it was deleted."""
