"""The status as text: the realm in a few lines, then each campaign with its two axes and its run. Pure."""

from typing import TYPE_CHECKING

from reconciler.app.looking.axes import SEE_LOGS
from reconciler.cli.text_layout import (
    INDENT,
    PLAIN,
    Paint,
    columns,
    held_out,
    padded,
    rate,
    safe,
    short_code,
    short_hash,
    theirs,
    wrapped,
)
from reconciler.cli.text_plan import warning
from reconciler.plan.changes import folded
from state.amounts import count, counts, duration, moment, size

if TYPE_CHECKING:
    from reconciler.app.asking.scrubbing import ScrubStatus
    from reconciler.app.looking.active_run import ActiveRun
    from reconciler.app.looking.axes import Axis
    from reconciler.app.looking.status import CampaignStatus, StatusReport, TrashStatus
    from reconciler.plan.changes import Blocked
    from state.source_status import SourceStatus

_MEANINGS = {
    "synced": "good",
    "healthy": "good",
    "out of sync": "warn",
    "suspended": "warn",
    "on hold": "warn",
    "unknown": "dim",
    "blocked": "bad",
    "degraded": "bad",
}
_LABEL = 12


def status_text(report: "StatusReport", width: int, paint: Paint = PLAIN) -> str:
    """Return the realm's state for people."""
    parts = ["\n".join(_realm(report, width, paint))]
    parts += ["\n".join(_campaign(one, width, paint)) for one in report.campaigns]
    if report.warnings:
        parts.append("\n".join(warning(text, width, paint) for text in report.warnings))
    return "\n\n".join(parts)


def _realm(report: "StatusReport", width: int, paint: Paint) -> list[str]:
    is_checked_out = not report.complaint and report.source is None  # a mirror has no work tree
    commits = f"{report.checked_out} {'checked out' if is_checked_out else 'in force'}"
    if report.follows:
        gone = ", which is not there any more (see reconcile doctor)" if report.is_followed_gone else ""
        commits += f", apply follows {report.follows}{gone}"
    pairs = [
        ("root", _root(report)),
        ("specs", commits),
        ("applied", _applied(report)),
        ("reconciler", _reconciler(report)),
        ("device", f"{report.device}, {size(report.free_bytes)} free on disk"),
        ("queue", _queue(report)),
        ("plan", _plan(report)),
    ]
    if text := report.to_come.text:
        pairs.append(("to come", f"{text} (while apply runs)"))
    blocked = [line for item in folded(report.blocked) for line in _told(item, "blocked", width, paint)]
    again = [item for item in report.tried_again if not item.subject.startswith("campaign/")]
    blocked += [line for item in folded(again) for line in _told(item, "waiting", width, paint)]
    blocked += [line for item in folded(report.failing) for line in _told(item, "failing", width, paint)]
    if told := _trash(report.trash):
        pairs.insert(5, ("trash", told))
    scrub = report.scrub
    if scrub.num_verified or scrub.num_damaged or scrub.num_damaged_copies or scrub.num_unreachable_copies:
        pairs.insert(5, ("read again", _scrub(report.scrub)))
    if report.expectations.num_runs:
        kept = f"{report.expectations.num_inside} of {count(report.expectations.num_runs, 'run')}"
        pairs.append(("estimates", f"{kept} ended between the bounds expected at launch (4 of 5 should)"))
    if report.source is not None:
        pairs.insert(1, ("source", _source(report.source)))
    if report.suspended is not None:
        pairs[:0] = [("suspended", theirs(report.suspended)), ("", f"→ {report.suspended_hint}")]
    if report.uncommitted:
        pairs.append(("uncommitted", f"{', '.join(report.uncommitted[:5])} (not applied)"))
    title = f"{paint(safe(report.realm), 'strong')}   {paint(f'seen {report.seen_at[11:19]} UTC', 'dim')}"
    return [title, *(line for label, text in pairs for line in _pair(label, text, width, paint)), *blocked]


def _pair(
    label: str, text: str, width: int, paint: Paint, meaning: str = "", indent: str = INDENT
) -> list[str]:
    lead = f"{indent}{padded(label, _LABEL)}"
    first, *rest = wrapped(safe(text), max(20, width - columns(lead)))
    under = " " * columns(lead)
    return [
        f"{paint(lead, 'dim')}{paint(first, meaning)}",
        *(f"{under}{paint(line, meaning)}" for line in rest),
    ]


def _root(report: "StatusReport") -> str:
    if report.root_gone_since is not None:
        return f"{report.root} (gone: in use here since {moment(report.root_gone_since)})"
    return report.root if report.root_exists else f"{report.root} (not there yet; apply creates it)"


def _applied(report: "StatusReport") -> str:
    begun = report.attempted_commit
    if report.root_gone_since is not None:
        return "unknown while the root is gone"
    if report.applied_commit is None:
        return f"{begun[:7]} is in force, {_left(report)}" if begun else "nothing yet"
    text = f"{report.applied_commit[:7]} since {moment(report.applied_at)}"
    if begun not in (None, report.applied_commit):
        text += f"; {str(begun)[:7]} is in force, {_left(report)}"
    return text


def _left(report: "StatusReport") -> str:
    """Return how much of the commit that apply began with is left; apply itself notes it one look later."""
    if report.attempted_commit != report.commit or report.num_changes:
        return "not all of it is done yet"
    how = ["is blocked"] if report.num_blocked else []
    how += ["waits"] if report.tried_again else []
    return f"what is left of it {' or '.join(how)}" if how else "nothing of it is left to do"


def _source(source: "SourceStatus") -> str:
    seen = f"seen {moment(source.good_at)}" if source.good_at else "never seen"
    trouble = f"; {source.trouble.code} since {moment(source.trouble.since)}" if source.trouble else ""
    return f"{source.url}, branch {source.branch}, {seen}{trouble}"


def _reconciler(report: "StatusReport") -> str:
    holder = report.reconciler
    if holder is None:
        return "none is running"
    return f"pid {holder.pid} on {holder.host} since {moment(holder.since)}: {holder.command}"


def _queue(report: "StatusReport") -> str:
    words = {"waits": "waiting"}
    parts = [f"{number:,} {words.get(state, state)}" for state, number in sorted(report.queue.items())]
    health = report.queue_health
    told = f"; {health.text}" if health.state != "healthy" else ""
    return f"{', '.join(parts) or 'empty'}{told}"


def _trash(trash: "TrashStatus") -> str:
    soon = duration(trash.next_seconds) if trash.next_seconds else "its next clean ticks"
    numbers = {"campaign": trash.num_campaigns, "checkpoint": trash.num_checkpoints}
    things = counts(**numbers, **{"optimizer state": trash.num_optimizer_states})
    ends = "held" if trash.is_held or trash.next_seconds is None else f"the first for good in {soon}"
    parts = [f"{things}, {size(trash.size_bytes)}, {ends}"] if things else []
    parts += [f"{trash.num_unknown:,} that the store does not know"] if trash.num_unknown else []
    parts += [f"{trash.num_foreign:,} not ours, never deleted"] if trash.num_foreign else []
    return "; ".join(parts)


def _scrub(scrub: "ScrubStatus") -> str:
    oldest = f", the oldest on {scrub.oldest_at[:16].replace('T', ' ')} UTC" if scrub.oldest_at else ""
    parts = [f"{scrub.num_verified:,} of {count(scrub.num_checkpoints, 'checkpoint')}{oldest}"]
    parts += [f"{scrub.num_damaged:,} damaged"] if scrub.num_damaged else []
    if scrub.num_damaged_copies:
        parts.append(f"{scrub.num_damaged_copies:,} of its {scrub.num_copies:,} copies elsewhere damaged")
    if scrub.num_unreachable_copies:
        away = f"{scrub.num_unreachable_copies:,} of its {scrub.num_copies:,} copies elsewhere out of reach"
        parts.append(f"{away} when last looked at")
    return "; ".join(parts)


def _plan(report: "StatusReport") -> str:
    waiting = f", {report.num_waiting:,} waiting" if report.num_waiting else ""
    held = f", {report.num_held:,} on hold (reconcile resume)" if report.num_held else ""
    changes = count(report.num_changes, "change")
    failing = f", {report.num_failing:,} of them failed when last tried" if report.num_failing else ""
    return f"{changes}{failing}, {report.num_blocked:,} blocked{waiting}{held}"


def _told(item: "Blocked", label: str, width: int, paint: Paint) -> list[str]:
    message = item.message if label == "failing" else theirs(item.message)
    text = f"{item.subject}: {message} ({theirs(item.cause)})"
    lines = _pair(label, text, width, paint, "warn" if label == "waiting" else "bad")
    return [*lines, *_pair("", f"→ {item.hint}", width, paint)]


def _campaign(one: "CampaignStatus", width: int, paint: Paint) -> list[str]:
    same = one.healthy.sentence == one.synced.sentence
    lines = [*_title(one, width, paint), *_axis("synced", one.synced, width, paint)]
    lines += _axis("healthy", one.healthy, width, paint, told_above=same)
    if one.went_back is not None:
        lines += _pair(f"segment {one.segment}", one.went_back, width, paint, indent="    ")
    if one.run is not None:
        lines += _run(one.run, width, paint)
    return lines


def _title(one: "CampaignStatus", width: int, paint: Paint) -> list[str]:
    """Return name, step, goal and checkpoints; what has no room stands below."""
    told = f"step {one.step:,}"
    told += f", goal {one.goal}" if one.goal else ""
    if one.num_checkpoints:
        told += f", {count(one.num_checkpoints, 'checkpoint')} ({size(one.checkpoint_bytes)})"
    name = f"{'→' if one.is_active else ' '} {safe(one.name)}   "
    first, *rest = wrapped(told, max(20, width - columns(name)), at=", ")
    return [
        name.replace(safe(one.name), paint(safe(one.name), "strong"), 1) + first,
        *(f"    {line}" for line in rest),
    ]


def _axis(label: str, axis: "Axis", width: int, paint: Paint, *, told_above: bool = False) -> list[str]:
    text = _axis_words(label, axis, told_above=told_above)
    first, *rest = _pair(label, text, width, PLAIN, indent="    ")
    return [first.replace(axis.state, paint(axis.state, _MEANINGS[axis.state]), 1), *rest]


def _axis_words(label: str, axis: "Axis", *, told_above: bool) -> str:
    """Return state, reason and sentence; a word that the label or the sentence says is not repeated."""
    if told_above:
        return f"{axis.state}: {axis.reason}" if axis.reason != axis.state else axis.state
    said = axis.sentence.removesuffix(SEE_LOGS)
    sentence = theirs(said) + axis.sentence[len(said) :]
    if axis.state == label:
        return sentence
    if axis.reason.replace("-", " ") in axis.sentence:
        return f"{axis.state}: {sentence}"
    return f"{axis.state}: {axis.reason}, {sentence}"


def _run(run: "ActiveRun", width: int, paint: Paint) -> list[str]:
    beat = duration(run.heartbeat_age_seconds)
    told = [f"{run.run} on {run.device}", run.phase]
    told += [f"pid {run.pid}"] if run.pid else []
    told += [f"heartbeat {beat} ago"] if beat else ["no heartbeat"]
    lines = _pair("run", ", ".join(told), width, paint, indent="    ")
    if run.quest_id is not None:
        lines += _pair("quest", ", ".join(_progress(run)), width, paint, indent="    ")
    code, specs = short_code(run.code_version), run.specs_commit[:7]
    which = f"config {short_hash(run.config_hash)}, code {code}, specs {specs}"
    return [*lines, *_pair("from", which, width, paint, indent="    ")]


def _progress(run: "ActiveRun") -> list[str]:
    if not run.quest_updates:
        return [f"{run.quest_id}, its rows are being read"]
    parts = [f"{run.quest_id}, update {run.quest_update or 0:,} of {run.quest_updates:,}"]
    parts += [f"loss {run.loss:.3f}"] if run.loss is not None else []
    parts += [held_out(run.val_loss, run.val_step, run.step)] if run.val_loss is not None else []
    if run.is_alive and run.phase != "silent":
        parts += [rate(run.tokens_per_second)] if run.tokens_per_second else []
        parts += [f"ETA {duration(run.eta_seconds)}"] if run.eta_seconds is not None else []
    return parts
