"""What is run where specs are merged: checks, comments, proposals, the plan of a range of commits."""
