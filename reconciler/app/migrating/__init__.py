"""`migrate`: an older root becomes a root of this software; and back."""
