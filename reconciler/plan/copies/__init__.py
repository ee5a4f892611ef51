"""Copies of checkpoints outside the root, and what is made whole again from one."""
