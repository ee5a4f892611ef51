"""What a checkpoint has learnt, shown: from its ancestors' records to the rows of files."""
