"""`skip`: a request to the loop about a quest."""

from reconciler.cli.requesting import quest_request_command

command = quest_request_command(
    "skip",
    "Send QUEST behind all others, as a low one; a second time, out of the queue. The reason stays.",
    [('reconcile skip gsm8k --why "too long for tonight"', "Train the others first.")],
)
