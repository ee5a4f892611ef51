"""From what should be and what is to what to do: pure, the same inputs give the same bytes.

Called by app; what comes next is act, which carries the changes out in the order of the plan.
"""
