"""Checkpoints made again from their parents, and compared with what was recorded of them."""
