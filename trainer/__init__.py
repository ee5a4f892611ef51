"""The trainer: its own process, started by the reconciler, spoken to through files in its run folder."""
