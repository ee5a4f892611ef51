"""Facts that outlive a process: where they lie, how they are named, written and read."""
