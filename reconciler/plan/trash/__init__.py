"""The trash: what goes there, what comes back, what is deleted when its time is over."""
