"""What happens during apply as text: one line for each outcome, a bar for training, the end. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import (
    INDENT,
    PLAIN,
    Paint,
    columns,
    held_out,
    padded,
    rate,
    safe,
    shortened,
    theirs,
    wrapped,
)
from reconciler.cli.text_plan import not_committed
from state.amounts import count, duration

if TYPE_CHECKING:
    from reconciler.act.protocol import Outcome
    from reconciler.app.planning.look import View
    from reconciler.plan.changes import Blocked, Change
    from reconciler.plan.review.saved import SavedPlan
    from state.contract.status import RunStatus

BAR_WIDTH, LEAST_BAR_WIDTH = 26, 12
_VERB_WIDTH = 11
_REFUSALS = ("not taken back: ", "not brought back: ")
"""How the answer to a request begins that was looked at and could not be granted."""
_FULL, _HALF, _REST = "━", "╸", "━"


def began_text(change: "Change", width: int, paint: Paint = PLAIN) -> str:
    """Return the line of an action that is being done."""
    from reconciler.plan.sentences import sentence_of

    sentence = sentence_of(change.action)
    parts = f"{INDENT}… {padded(sentence.verb, _VERB_WIDTH)}{safe(sentence.subject)}"
    return paint(shortened(parts, width), "dim")


def outcome_text(outcome: "Outcome", width: int, paint: Paint = PLAIN) -> str:
    """Return the line of an action that was done, failed or was skipped; a failure is told in full."""
    from reconciler.plan.sentences import sentence_of

    sentence = sentence_of(outcome.change.action)
    was_done = outcome.ok and not outcome.text.startswith(_REFUSALS)
    mark, meaning = ("✓", "good") if was_done else (("-", "warn") if outcome.skipped else ("✗", "bad"))
    head = f"{INDENT}{paint(mark, meaning)} {padded(sentence.verb, _VERB_WIDTH)}{safe(sentence.subject)}"
    took = f", {outcome.seconds:.1f} s" if outcome.seconds >= 0.1 else ""  # noqa: PLR2004 - nobody waited
    if outcome.ok:
        room = (
            width - columns(f"{INDENT}✓ {padded(sentence.verb, _VERB_WIDTH)}{sentence.subject}  ") - len(took)
        )
        text = safe(not_repeated(outcome.text, sentence.subject))
        return f"{head}  {paint((shortened(text, room) if room > 0 else text) + took, 'dim')}".rstrip()
    return f"{head}  {safe(outcome.text)}{_again(outcome)}"


def _again(outcome: "Outcome") -> str:
    """Say of a failure that it lasts; content that cannot be brought in is asked for some times more.

    Not so rows that were refused: they would be the same.
    """
    from reconciler.plan.retries.fetches import FETCHES
    from state.store.journal_rows import REFUSED

    if not outcome.permanent:
        return ""
    is_fetch = isinstance(outcome.change.action, FETCHES) and not outcome.text.startswith(REFUSED)
    return " (tried again later, a few times)" if is_fetch else " (it fails again until something is changed)"


def not_repeated(text: str, subject: str) -> str:
    """Return what came of an action without the name that stands before it already."""
    for lead in (subject, subject.partition(" of ")[0]):
        if text.startswith(f"{lead} "):
            return text[len(lead) + 1 :]
    return text


def tick_text(view: "View", paint: Paint = PLAIN, width: int = 80) -> str:
    """Return the line that opens a plan that has something to do."""
    plan = view.plan
    changes = f"{count(len(plan.changes), 'change')} to begin with"
    text = f"{paint(safe(plan.realm), 'strong')}   {safe(view.commit.name)}   {changes}"
    if view.uncommitted:
        text += f"\n{not_committed(view.uncommitted, width)}"
    return text


def waits_text(blocked: "Blocked", width: int, paint: Paint = PLAIN) -> str:
    """Return what waits, until when and why, and how to hurry it."""
    head = f"{INDENT}… {padded('wait', _VERB_WIDTH)}{safe(blocked.subject.partition('/')[2])}"
    under = " " * columns(f"{INDENT}… ")
    told = wrapped(theirs(safe(blocked.message)), width - len(under))
    told += [
        f"{'→ ' if place == 0 else '  '}{line}"
        for place, line in enumerate(wrapped(safe(blocked.hint), width - len(under) - 2))
    ]
    return "\n".join([paint(head, "warn"), *(f"{under}{line}" for line in told)])


def blocked_text(blocked: "Blocked", width: int, paint: Paint = PLAIN) -> str:
    """Return the line of something that cannot be done, folded where it has no room."""
    under = " " * columns(f"{INDENT}! ")
    text = f"{safe(blocked.subject)}: {theirs(safe(blocked.message))} ({theirs(safe(blocked.cause))})"
    from reconciler.plan.changes import HELD

    word = "on hold" if blocked.code == HELD else "blocked"
    first, *rest = wrapped(f"{word} {text}", width - len(under))
    return "\n".join([f"{INDENT}{paint('!', 'bad')} {first}", *(f"{under}{line}" for line in rest)])


def unblocked_text(subject: str, paint: Paint = PLAIN) -> str:
    """Return the line of something that is no longer blocked."""
    return f"{INDENT}{paint('✓', 'good')} {safe(subject)} is no longer blocked"


def settled_text(view: "View", paint: Paint = PLAIN, width: int = 80) -> str:
    """Return the last lines: nothing is left to do, what time still brings, and what is in the way."""
    from reconciler.app.planning.look import world_of
    from reconciler.plan.changes import counted, first_obstacle
    from reconciler.plan.keeping.to_come import to_come

    blocked = view.plan.in_the_way
    num_waiting = len(view.plan.waits)
    rest = [*counted(blocked)]
    rest += (
        [f"{num_waiting:,} waiting for {'its' if num_waiting == 1 else 'their'} turn"] if num_waiting else []
    )
    told = f": {', '.join(rest)}" if rest else ""
    lines = [paint(f"Converged at {safe(view.commit.name)}{told}.", "strong")]
    if still := to_come(world_of(view), view.plan).text:
        lines += wrapped(f"Still to come while apply runs: {still}.", width, at=", ")
    if (first := first_obstacle(blocked)) is not None:
        lines.append(f"Why blocked:  reconcile explain {safe(first.subject)}")
    return "\n".join(lines)


def saved_plan_text(planfile: str, saved: "SavedPlan", num_done: int, num_planned: int) -> str:
    """Return the last lines of `apply PLANFILE`: how much of it was done, and what comes next."""
    if not saved.changes:
        waited = f": {safe(saved.awaited)} waited for an approval when it was saved" if saved.awaited else ""
        anew = f"What is to be done by now:  reconcile plan --out {safe(planfile)}"
        return f"Nothing is in {safe(planfile)}{waited}. Nothing was done.\n{anew}"
    if not num_planned:
        return f"Nothing of {safe(planfile)} is left to do: it was done before."
    is_whole = num_done == num_planned
    after = "Go on from here:" if is_whole else "Look at what is left:"
    command = "reconcile apply" if is_whole else f"reconcile plan --out {safe(planfile)}"
    return f"Done: {num_done:,} of {count(num_planned, 'change')} of {safe(planfile)}.\n{after}  {command}"


def bar(done: int, whole: int, width: int = BAR_WIDTH, paint: Paint = PLAIN) -> str:
    """Return a bar of a width; a whole of 0 gives an empty one."""
    halves = 0 if whole <= 0 else min(2 * width, int(2 * width * max(0, done) / whole))
    full, half = divmod(halves, 2)
    rest = width - full - half
    return paint(_FULL * full + _HALF * half, "good") + paint(_REST * rest, "dim")


def training_parts(status: "RunStatus") -> list[str]:
    """Return what a heartbeat says in a few words each, the most important first."""
    parts = [f"loss {status.loss:.3f}"] if status.loss is not None else []
    if status.phase == "training":
        parts += [rate(status.tokens_per_second)] if status.tokens_per_second else []
        parts += [f"ETA {duration(status.eta_seconds)}"] if status.eta_seconds is not None else []
    if status.val_loss is not None:
        parts.append(held_out(status.val_loss, status.val_step, status.step))
    return parts


def progress_text(campaign: str, status: "RunStatus", width: int, paint: Paint = PLAIN) -> str:
    """Return one line of a terminal: quest, bar, updates, loss, speed, time left."""
    if not is_at_a_quest(status):
        return shortened(f"{INDENT}  {safe(campaign)}  {_elsewhere(status)}", width)
    name = safe(status.quest_id)
    steps = f"{status.quest_update:,}/{status.quest_updates:,}"
    parts = training_parts(status)
    if status.phase != "training":
        parts = [status.phase, *parts]
    room = width - columns(f"{INDENT}  {name}    {steps}  ")
    while parts and columns("  ".join(parts)) > room - LEAST_BAR_WIDTH:
        parts.pop()
    bar_width = max(4, min(BAR_WIDTH, room - columns("  ".join(parts))))
    drawn = bar(status.quest_update, status.quest_updates, bar_width, paint)
    return f"{INDENT}  {name}  {drawn}  {steps}  {'  '.join(parts)}".rstrip()


def phase_text(campaign: str, status: "RunStatus", width: int) -> str:
    """Return the line that is printed once for each phase where there is no terminal; it fits the width."""
    if not is_at_a_quest(status):
        return f"{INDENT}  {safe(campaign)}  {_elsewhere(status)}"
    head = f"{INDENT}  {safe(status.quest_id)} {status.quest_update:,}/{status.quest_updates:,}"
    parts = [*([] if status.phase == "training" else [status.phase]), *training_parts(status)]
    while parts and columns("  ".join([head, *parts])) > width:
        parts.pop()
    return "  ".join([head, *parts])


def is_at_a_quest(status: "RunStatus") -> bool:
    """Does the trainer learn from a quest whose rows it has read?"""
    return status.quest_updates > 0 and status.phase in ("training", "evaluating", "saving")


def phase_key(status: "RunStatus") -> tuple[str, str | None, bool]:
    """Return what is the same for statuses that `phase_text` tells in the same words, numbers apart."""
    is_at = is_at_a_quest(status)
    names_quest = is_at or status.phase == "training"
    return status.phase, status.quest_id if names_quest else None, is_at


def _elsewhere(status: "RunStatus") -> str:
    """Return what a trainer does that is at no quest's updates."""
    step = f"step {status.step:,}"
    if status.phase == "training" and status.quest_id is not None:
        return f"reads the rows of quest {safe(status.quest_id)}, {step}"
    return f"{safe(status.phase)}, {step}"
