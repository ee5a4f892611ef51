"""When what failed is tried again, and what follows when it fails once more."""
