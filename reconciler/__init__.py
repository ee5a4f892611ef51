"""Decides and acts: from specs at a commit to a root that matches them."""
