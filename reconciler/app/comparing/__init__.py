"""Two things side by side, and loss curves."""
