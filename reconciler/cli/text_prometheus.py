"""The status as metrics in Prometheus' text format, for a textfile collector. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.app.looking.status import CampaignStatus, StatusReport

_HELP = {
    "realm_up": "1 while a reconciler holds the realm's lock.",
    "realm_seen_timestamp_seconds": "When this was looked at.",
    "realm_applied": "1 when nothing is left to do at the commit in force.",
    "realm_changes": "Changes that apply would make.",
    "realm_failing": "Things that failed when they were last tried, be they tried again or given up.",
    "realm_blocked": "Things that the specs ask for and that somebody has to mend first.",
    "realm_waiting": "Things that have their turn later, by themselves.",
    "realm_tried_again": "Those of them that failed and are tried again in time.",
    "realm_suspended": "1 while the whole realm is suspended.",
    "realm_source_good_timestamp_seconds": "When the source elsewhere was seen well last.",
    "realm_free_bytes": "Room on the disk of the root.",
    "realm_trash_bytes": "What dropped checkpoints still take.",
    "realm_quests": "Quests of the queue, by state.",
    "realm_campaign_step": "Optimizer updates of a campaign.",
    "realm_campaign_synced": "1 when a campaign is as the specs say.",
    "realm_campaign_healthy": "1 when a campaign is well.",
    "realm_campaign_loss_nats": "Loss of the last update, in nats per trained token.",
    "realm_campaign_held_out_loss_nats": "Held-out loss measured last.",
    "realm_campaign_tokens_per_second": "Speed of training.",
    "realm_campaign_heartbeat_age_seconds": "Since the trainer gave its last sign of life.",
    "realm_campaign_checkpoints": "Checkpoints that are kept.",
    "realm_campaign_checkpoint_bytes": "Their size.",
}


def metrics_text(report: "StatusReport") -> str:
    """Return the whole exposition, each metric with its help and type."""
    lines = []
    samples = list(_samples(report))
    for name, about in _HELP.items():
        found = [sample for sample in samples if sample[0] == name]
        if found:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value!r}" for _, labels, value in found]
    return "\n".join(lines)


Sample = tuple[str, dict[str, str], float | int]


def _samples(report: "StatusReport") -> Iterator[Sample]:
    realm = {"realm": report.realm}
    source = report.source.good_at if report.source else None
    values: dict[str, float | int | None] = {
        "realm_up": int(report.reconciler is not None),
        "realm_seen_timestamp_seconds": _seconds(report.seen_at),
        "realm_applied": int(report.applied_commit == report.commit and not report.num_changes),
        "realm_changes": report.num_changes,
        "realm_failing": report.num_failed,
        "realm_blocked": report.num_blocked,
        "realm_waiting": report.num_waiting,
        "realm_tried_again": len(report.tried_again),
        "realm_suspended": int(report.suspended is not None),
        "realm_source_good_timestamp_seconds": _seconds(source) if source else None,
        "realm_free_bytes": report.free_bytes,
        "realm_trash_bytes": report.trash.size_bytes,
    }
    yield from ((name, realm, value) for name, value in values.items() if value is not None)
    for state, number in sorted(report.queue.items()):
        yield "realm_quests", {**realm, "state": state}, number
    for one in report.campaigns:
        yield from _of_campaign(one, {**realm, "campaign": one.name})


def _of_campaign(one: "CampaignStatus", labels: dict[str, str]) -> Iterator[Sample]:
    run = one.run
    values: dict[str, float | int | None] = {
        "step": one.step,
        "synced": int(one.synced.state == "synced"),
        "healthy": int(one.healthy.state == "healthy"),
        "loss_nats": run.loss if run else None,
        "held_out_loss_nats": run.val_loss if run else None,
        "tokens_per_second": run.tokens_per_second if run else None,
        "heartbeat_age_seconds": run.heartbeat_age_seconds if run else None,
        "checkpoints": one.num_checkpoints,
        "checkpoint_bytes": one.checkpoint_bytes,
    }
    yield from (
        (f"realm_campaign_{name}", labels, value) for name, value in values.items() if value is not None
    )


def _labels(labels: dict[str, str]) -> str:
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
