"""Verbs that are commits on the specs repository, and the only writers of one."""
