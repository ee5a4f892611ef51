"""Whole checkpoints: written, verified, published; read back only when every byte is as it was."""
