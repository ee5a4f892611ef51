"""Which checkpoints of a campaign are kept, which may go, and why: pure. `retain` is the way in."""
