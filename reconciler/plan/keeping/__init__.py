"""What is kept of a campaign's checkpoints: the rules of `retention` asked about ledger and disk."""
