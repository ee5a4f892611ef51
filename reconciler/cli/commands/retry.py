"""`retry`: a request to the loop about a quest."""

from reconciler.cli.requesting import quest_request_command

command = quest_request_command(
    "retry",
    "Let QUEST, which failed or was skipped, wait again in its place; its failures no longer count.",
    [("reconcile retry gsm8k", "After its file was mended.")],
)
