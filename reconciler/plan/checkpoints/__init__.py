"""Checkpoints as the ledger knows them: recorded, damaged, read again, saved because somebody asked."""
