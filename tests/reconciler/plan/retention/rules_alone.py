"""The rules alone, before protections: what the keep rules of other tools do."""

from reconciler.plan.retention.history import History
from reconciler.plan.retention.keep_rules import reasons_by_rule
from reconciler.plan.retention.rules import Rules


def rules_alone(history: History, rules: Rules) -> set[str]:
    """Return the ids that the rules keep."""
    return {history.records[at].id for at, _ in reasons_by_rule(history, rules)}
