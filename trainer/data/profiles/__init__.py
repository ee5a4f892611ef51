"""Data profiles: each is a module with `transform`, and a line in `registry`."""
