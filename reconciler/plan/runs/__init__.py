"""Runs: launched, given orders, paused and stopped; and everything that stands in the way of one."""
