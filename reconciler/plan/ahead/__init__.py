"""What comes if it goes on: the planner, asked in the world as it will be."""
