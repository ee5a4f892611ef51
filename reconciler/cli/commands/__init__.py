"""One module a verb; each has `command`. `group.VERBS` names them, and nothing else imports them."""
