"""An older root: what becomes of it, decided apart from `make_plan`, since there are no specs yet."""
