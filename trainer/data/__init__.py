"""From a quest's rows to the tokens of the next update. Only `tensors` imports torch."""
