"""`retry`: a request to the loop about a quest."""

from reconciler.cli.quest_requesting import quest_request_command

command = quest_request_command("retry")
