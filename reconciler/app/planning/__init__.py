"""One look at the specs and the world, and the plan between them."""
