"""`apply`: hold the lock, follow the branch, tick until the world is what the specs say."""
