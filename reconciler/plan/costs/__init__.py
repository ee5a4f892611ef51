"""What a plan costs: disk, memory, updates and time, and what is to come at this pace."""
