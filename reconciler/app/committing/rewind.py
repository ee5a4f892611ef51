"""`rewind`: one line of a campaign's spec, committed. Apply goes back to that checkpoint: a new segment."""

from reconciler.app.committing.archiving import NAMING_LINES
from reconciler.app.committing.line_edits import CannotEdit, with_line
from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.spec_edits import (
    Committing,
    SpecCommit,
    campaign_named,
    commit_edits,
    read_base,
)
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused, NotFound
from reconciler.app.surroundings.ground import not_found, refuse_trashed, store_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.base import is_line
from reconciler.observed.stock import rows_in_force
from reconciler.plan.segments.rollbacks import may_have_begun
from state.store.rows import StoreView

_LATER = "Later checkpoints stay, as segment {segment}; the rows that only they had learnt are learnt again."
_NONE_LATER = "No checkpoint is later: it goes on from this one, in a new segment behind segment {segment}."


def rewind(environment: Environment, options: Options, checkpoint: str, committing: Committing) -> SpecCommit:
    """Commit that a campaign goes back to `<hero>/<campaign>@<step>`.

    Raises:
        Misused: this is no name of a checkpoint of a living history, or no reason is given.
        NotFound: there is no such campaign or checkpoint.
        Blocked: it went back there for that very reason already; the checkpoint lies in the trash; or its
            spec has edits not committed.
    """
    name, _, step = checkpoint.removeprefix("checkpoint/").partition("@")
    if not (step.isascii() and step.isdecimal()):
        raise Misused(f'"{checkpoint}" is no checkpoint to go back to; expected <hero>/<campaign>@<step>')
    if committing.why is None or not is_line(committing.why):
        raise Misused("say why, in one line: --why TEXT; it is kept in the campaign's history")
    base = read_base(environment, options)
    source = campaign_named(environment, options, base, name)
    campaign, path = source.name, source.path
    living, has_later = _check(environment, options, campaign, int(step), committing.why)
    value = f"{{to: {int(step)}, reason: {quoted(committing.why)}}}"
    try:
        text = with_line(base.text(path), "rewind", value, after=NAMING_LINES)
    except CannotEdit as error:
        raise Blocked(f"{path}: {error}") from error
    note = (_LATER if has_later else _NONE_LATER).format(segment=living)
    subject = f"Rewind {campaign} to step {int(step)}"
    return commit_edits(environment, options, base, {path: text}, subject, committing, (note,))


def _check(
    environment: Environment, options: Options, campaign: str, step: int, why: str
) -> tuple[int, bool]:
    """Return the living segment and whether anything later was saved, where the campaign can go back."""
    store = store_of(layout_of(environment, options))
    row = next((row for row in store.campaigns if row.name == campaign), None)
    if row is None:
        raise NotFound(f"campaign {campaign} has saved nothing yet: there is nothing to go back to")
    steps = _steps(store, row.uid)
    if step not in steps and step != 0:
        refuse_trashed(store, f"{campaign}@{step}")
        raise not_found("checkpoint", f"{campaign}@{step}", [f"{campaign}@{one}" for one in steps])
    wanted = f"rewind to {step}: {why}"
    done = next((o for o in store.segments if (o.campaign_uid, o.wanted) == (row.uid, wanted)), None)
    if done is not None:
        raise Blocked(
            f"{campaign} went back to step {step} for that reason already (segment {done.number}); to go "
            "back once more give another reason"
        )
    segments = [one for one in store.segments if one.campaign_uid == row.uid]
    if (number := may_have_begun(segments, step)) is not None:
        raise Blocked(
            f"how segment {number} of {campaign} began was lost with the store: whether going back to step "
            f"{step} is what began it is not known any more; go back to another step"
        )
    return row.segment, bool(steps) and steps[-1] > step


def _steps(store: StoreView, uid: str) -> list[int]:
    """Return the steps of the living history whose checkpoints are whole, as the rows in force have them."""
    gone = {stone.sequence for stone in store.trash if stone.state != "restored"}
    mine = rows_in_force(one for one in store.ledger if one.campaign_uid == uid)
    rows = (one for one in mine if one.sequence not in gone)
    return sorted({one.step for one in rows if one.is_living and one.damage is None and one.healthy})
