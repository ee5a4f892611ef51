"""What a run would be, what a changed config means, and whether the hero can be trained at all."""
