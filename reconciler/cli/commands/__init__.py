"""One module a verb; each has `command`. `verbs.VERBS` names them, and nothing else imports them."""
