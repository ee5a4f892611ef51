"""`explain`: what a thing is, where its settings come from, what is in its way."""
