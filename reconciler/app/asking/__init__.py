"""What a person asks of the loop, or of a trainer of its own: left in the store, the lock is not taken."""
