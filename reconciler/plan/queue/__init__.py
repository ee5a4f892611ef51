"""Quests, their content and their jobs: what is to be trained, and what was."""
