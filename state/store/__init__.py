"""The realm's one SQLite file: journal, campaigns, runs, jobs, ledger, requests."""
