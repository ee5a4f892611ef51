"""What is around a verb: environment, repository, root, machine, store; and the errors for each exit code."""
