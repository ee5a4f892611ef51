"""The stretches of a campaign's history: where each begins, what a rollback leaves, what branches off."""
