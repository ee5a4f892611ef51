"""The files between reconciler and trainer. Each record carries the version of its schema."""
