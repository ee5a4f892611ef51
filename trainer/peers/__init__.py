"""Scripts of other trainers, launched and watched as runs: for comparisons, not for training."""
