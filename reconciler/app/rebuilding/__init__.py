"""`doctor --rebuild`: the store from its files and the folders, or everything derived from the store."""
