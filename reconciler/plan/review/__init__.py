"""A plan under review: what it destroys, whether that waits for a person, a part of it, a saved one."""
