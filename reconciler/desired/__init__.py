"""What should be: the kinds of spec, where they are read from, and how every mistake in them is named."""
