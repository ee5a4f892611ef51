"""Look at a file of rows as training will see it, before anything is trained on it."""
