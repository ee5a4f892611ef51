"""What is known of the rows that are to be trained, before anything trains them."""
