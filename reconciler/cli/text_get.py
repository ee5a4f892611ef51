"""Listings and the history as tables. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.app.looking.limits import TIMES
from reconciler.cli.text_layout import (
    PLAIN,
    Column,
    Paint,
    short_code,
    short_hash,
    shortened,
    table,
    theirs,
    wrapped,
)
from state.amounts import count, duration, size

if TYPE_CHECKING:
    from reconciler.app.looking.get import Listing
    from reconciler.app.looking.history import History, Launch
    from reconciler.app.looking.ledger_queries import Best

Row = Sequence[object]
_MOST_OF_A_MESSAGE = 60
_MOST_TIES = 6
_OWN_COLUMN = ("train_loss", "val_loss")
"""Metrics whose column no width leaves out."""
_WHOLE = 1_000_000


def when(moment: str | None) -> str:
    """Return a moment to the minute: `2026-01-31 12:00`."""
    return moment[:16].replace("T", " ") if moment else ""


def loss(value: float | None) -> str:
    """Return a loss with three decimals; nothing where none was measured."""
    return "" if value is None else f"{value:.3f}"


def _steps(start: int | None, end: int | None) -> str:
    if start is None and end is None:
        return ""
    return f"{start or 0:,} → {'…' if end is None else f'{end:,}'}"


def _campaign(item: Any) -> Row:
    saves = f"{item.num_checkpoints:,} ({size(item.checkpoint_bytes)})" if item.num_checkpoints else ""
    mark = "→" if item.is_active else ""
    return (
        mark,
        item.id,
        item.state,
        item.hold.partition(",")[0] if item.hold else "",
        f"{item.step:,}",
        item.goal,
        item.synced,
        item.healthy,
        saves,
        item.reason,
    )


def _hero(item: Any) -> Row:
    name = " ".join(part for part in (item.name, item.title) if part)
    return (item.id, name, item.optimizer, item.num_campaigns, item.model, theirs(item.blocked or ""))


def _quest(item: Any) -> Row:
    state = f"{item.state}, {theirs(item.message)}" if item.demoted and item.state == "queued" else item.state
    return (item.id, item.priority, item.epochs, state, ", ".join(item.is_for), item.source)


def _queue(item: Any) -> Row:
    numbers = (item.num_queued, item.num_processing, item.num_completed, item.num_failed, item.num_skipped)
    return (item.state, *(f"{number:,}" for number in numbers), item.reason)


def _job(item: Any) -> Row:
    steps = _steps(item.start_step, item.final_step)
    losses = (loss(item.final_loss), loss(item.final_val_loss))
    return (
        item.quest,
        item.campaign,
        f"{item.num_examples:,}",
        item.epochs,
        steps,
        *losses,
        _job_status(item),
    )


def _job_status(item: Any) -> str:
    """Return how a job stands, with its last error only while that says why it is not done."""
    said = theirs(item.last_error or "")
    if item.status == "queued":
        words = [item.status, *(["behind all others"] if item.demoted else [])]
        return ", ".join(words) + (f": {said}" if said else "")
    if item.status not in ("failed", "skipped") or not said:
        return str(item.status)
    return said if said.startswith(f"{item.status} ") else f"{item.status}: {said}"


def _checkpoint(item: Any) -> Row:
    state = f"{item.state}, release" if item.release else item.state
    state = f"{state}: {theirs(item.reason)}" if item.reason else state
    losses = (loss(item.train_loss), loss(item.val_loss) or "-")
    num_bytes = size(item.size_bytes) if item.size_bytes else ""
    accuracy = f"{item.accuracy:.0%}" if item.accuracy is not None else ""
    return (item.id, when(item.timestamp), *losses, accuracy, num_bytes, short_hash(item.config_hash), state)


def _summary(item: Any) -> Row:
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(item.states.items()))
    saved = f"{when(item.first_saved_at)} – {when(item.last_saved_at)}" if item.first_saved_at else ""
    best = f"{loss(item.best_val_loss)} @{item.best.rpartition('@')[2]}" if item.best else ""
    steps = _steps(item.first_step, item.last_step)
    return (item.id, f"{item.num_checkpoints:,}", size(item.size_bytes), steps, saved, best, states)


def _legend(item: Any) -> Row:
    best = f"{loss(item.best_val_loss)} @{item.best_step}" if item.best_step is not None else ""
    losses = (loss(item.final_train_loss), loss(item.final_val_loss), best)
    kept = f"{item.num_checkpoints:,} ({size(item.checkpoint_bytes)})"
    if item.num_in_trash:
        kept += f", {item.num_in_trash:,} in the trash ({size(item.trash_bytes)})"
    if item.num_elsewhere:
        kept += f", {item.num_elsewhere:,} in {' and '.join(item.elsewhere)} ({size(item.elsewhere_bytes)})"
    return (
        item.id,
        when(item.archived_at),
        f"{item.step:,}",
        *losses,
        item.num_quests,
        kept,
        item.name or "",
    )


def _run(item: Any) -> Row:
    end = item.end.replace("_", " ") if item.end else item.state
    known = (short_hash(item.config_hash), short_code(item.code_version), item.specs_commit[:7])
    return (item.id, when(item.launched_at), item.device, _steps(item.from_step, item.to_step), *known, end)


def _skill(item: Any) -> Row:
    return (item.id, item.name or "", item.max_level, item.num_quests, item.source or "")


def _dataset(item: Any) -> Row:
    invalid = f"{item.max_invalid_fraction:.1%}" if item.max_invalid_fraction else "none"
    return (
        item.id,
        item.rows,
        invalid,
        ", ".join(item.quests),
        ", ".join(item.keys),
        theirs(item.suspended or ""),
    )


def _trash(item: Any) -> Row:
    gone = item.state in ("foreign", "vanished") or item.left_seconds is None
    left = "" if gone else duration(item.left_seconds) if item.left_seconds else "two clean ticks"
    left = "held" if item.is_held else left
    num_bytes = size(item.size_bytes) if item.size_bytes else ""
    name = f"{item.id} (whole)" if item.thing == "campaign" else item.id
    name = f"optimizer state of {name}" if item.is_optimizer_state else name
    return (name, item.state, when(item.trashed_at), num_bytes, left, item.reason)


def _left(title: str, spare: int = 0) -> Column:
    return Column(title, spare=spare)


def _right(title: str, spare: int = 0) -> Column:
    return Column(title, right=True, spare=spare)


_CAMPAIGNS = [
    *(
        _left(""),
        _left("campaign"),
        _left("state", 1),
        _left("on hold"),
        _right("step", 2),
        _left("goal", 4),
        _left("synced"),
    ),
    *(_left("healthy"), _right("checkpoints", 3), _left("reason")),
]
_HEROES = [
    _left("hero"),
    _left("name", 1),
    _left("optimizer"),
    _right("campaigns", 2),
    _left("model"),
    _left("blocked"),
]
_QUESTS = [
    _left("quest"),
    _left("priority", 1),
    _right("epochs", 2),
    _left("state"),
    _left("for"),
    _left("rows"),
]
_QUEUE = [
    *(_left("queue"), _right("queued"), _right("processing"), _right("completed", 2)),
    *(_right("failed"), _right("skipped", 1), _left("reason")),
]
_JOBS = [
    *(_left("quest"), _left("campaign"), _right("rows", 2), _right("epochs", 3), _right("steps", 1)),
    *(_right("loss"), _right("held-out"), _left("status")),
]
_CHECKPOINTS = [
    *(
        _left("checkpoint"),
        _left("saved (UTC)", 1),
        _right("loss"),
        _right("held-out"),
        _right("accuracy", 4),
    ),
    *(_right("size", 2), _left("config", 3), _left("state")),
]
_SUMMARIES = [
    *(_left("campaign"), _right("checkpoints"), _right("size"), _right("steps", 1)),
    *(_left("saved (UTC)", 2), _left("best held-out"), _left("states")),
]
_LEGENDS = [
    *(_left("legend"), _left("archived (UTC)", 4), _right("step"), _right("loss"), _right("held-out")),
    *(_left("best held-out", 1), _right("quests", 3), _left("checkpoints"), _left("name", 2)),
]
_RUNS = [
    *(_left("run"), _left("launched (UTC)", 4), _left("device", 5), _right("steps", 3)),
    *(_left("config", 1), _left("code", 2), _left("specs", 1), _left("end")),
]
_SKILLS = [_left("skill"), _left("name", 1), _right("levels"), _right("quests"), _left("source")]
_DATASETS = [
    *(_left("dataset"), _left("rows"), _right("may be invalid", 2), _left("quests"), _left("keys", 3)),
    _left("state"),
]
_TRASH = [
    *(_left("in the trash"), _left("state", 2), _left("since (UTC)", 3), _right("size", 1)),
    *(_right("for good in"), _left("why")),
]
_LAUNCHES = [
    *(_left("launched (UTC)", 4), _left("campaign"), _left("run"), _left("specs", 1)),
    *(_left("config", 1), _left("code", 2), _right("steps", 3), _left("end")),
]
_TABLES: Mapping[str, tuple[list[Column], Callable[[Any], Row]]] = {
    "campaigns": (_CAMPAIGNS, _campaign),
    "heroes": (_HEROES, _hero),
    "quests": (_QUESTS, _quest),
    "queue": (_QUEUE, _queue),
    "jobs": (_JOBS, _job),
    "checkpoints": (_CHECKPOINTS, _checkpoint),
    "summaries": (_SUMMARIES, _summary),
    "legends": (_LEGENDS, _legend),
    "runs": (_RUNS, _run),
    "skills": (_SKILLS, _skill),
    "datasets": (_DATASETS, _dataset),
    "trash": (_TRASH, _trash),
}


def listing_text(listing: "Listing", width: int | None, paint: Paint = PLAIN) -> str:
    """Return everything of a kind as a table."""
    if not listing.items:
        return "the trash is empty" if listing.kind == "trash" else f"no {listing.kind}"
    titles, row = _TABLES[listing.kind]
    if listing.metric is not None:
        return _best_text(listing, listing.metric, width, paint) + _left_out(listing, paint)
    return table(titles, [row(item) for item in listing.items], width, paint) + _left_out(listing, paint)


def _left_out(listing: "Listing", paint: Paint) -> str:
    """Return the line that says how many a limit leaves out; empty when none."""
    if not listing.num_left_out:
        return ""
    which = "newest" if listing.kind in TIMES else "first"
    shown = len(listing.items)
    line = f"The {which} {shown:,} of {shown + listing.num_left_out:,} {listing.kind}."
    return "\n" + paint(line, "dim")


def _best_text(listing: "Listing", metric: str, width: int | None, paint: Paint) -> str:
    """Return the best checkpoints with their values, which no width leaves out, and what ties with them."""
    titles, rows = _CHECKPOINTS, [_checkpoint(item) for item in listing.items]
    if metric not in _OWN_COLUMN:
        hidden = next((place for place, one in enumerate(titles) if one.title.lower() == metric), None)
        titles = [titles[0], Column(metric, right=True, is_name=True), *_without(titles[1:], hidden)]
        values = [_measured(metric, one.value) for one in listing.best]
        rows = [(row[0], value, *_without(row[1:], hidden)) for row, value in zip(rows, values, strict=True)]
    lines = [table(titles, rows, width, paint)]
    for one in listing.best:
        if one.measured_on is not None:
            lines += [paint(line, "dim") for line in wrapped(_rows(one, metric), width or _WHOLE)]
        if one.ties:
            lines += [paint(line, "dim") for line in wrapped(_tied(one, metric), width or _WHOLE)]
        if one.better_left is not None:
            lines += [paint(line, "dim") for line in wrapped(_better(one, metric), width or _WHOLE)]
    return "\n".join(lines)


def _without(cells: Sequence[Any], place: int | None) -> Sequence[Any]:
    """Return the cells behind the first, without the one that stood at a place among all."""
    return [cell for number, cell in enumerate(cells, 1) if number != place]


def _measured(metric: str, value: float) -> str:
    return f"{value:.4g}" if metric == "perplexity" else f"{value:.1%}"


def _better(one: "Best", metric: str) -> str:
    """Return that a segment which was left, or branched off, has a better one."""
    value = loss(one.better_value) if metric in _OWN_COLUMN else _measured(metric, one.better_value or 0.0)
    return f"{one.id} is the best of the living history; of another segment, {one.better_left} has {value}"


def _rows(one: "Best", metric: str) -> str:
    """Return on which held-out rows it was measured, and what says nothing beside it."""
    found = f"{one.id} was measured on the held-out rows of {one.measured_on}"
    if one.on_other_rows is None:
        return found
    value = loss(one.on_other_rows_value)
    value = value if metric in _OWN_COLUMN else _measured(metric, one.on_other_rows_value or 0.0)
    other, rows = f"@{one.on_other_rows.partition('@')[2]}", one.other_rows or "others"
    return f"{found}, the newest; {other} has {value} on those of {rows}, which says nothing beside it"


def _tied(one: "Best", metric: str) -> str:
    """Return that others are as good, the last ones by name."""
    steps = [f"@{name.partition('@')[2]}" for name in one.ties]
    named, more = ", ".join(steps[-_MOST_TIES:]), len(steps) - _MOST_TIES
    if more > 0:
        named = f"{more} more and {named}"
    has = "has" if len(steps) == 1 else "have"
    return f"{one.id} is not alone: {named} {has} the same {metric}; of equals the one recorded last is shown"


def history_text(history: "History", width: int | None, paint: Paint = PLAIN) -> str:
    """Return every launch: when, what, at which commit, config and code, how far, how it ended."""
    if not history.launches:
        return "nothing has been launched yet"
    most = _WHOLE if width is None else _MOST_OF_A_MESSAGE
    rows = [_launch(launch, most) for launch in history.launches]
    told = count(len(rows), "launch")
    if history.num_left_out:
        told = f"the newest {len(rows):,} of {len(rows) + history.num_left_out:,} launches"
    return f"{table(_LAUNCHES, rows, width, paint)}\n{told}"


def _begun(message: str, most: int) -> str:
    """Return how a message begins, on one line; `--wide` and `--json` show all of it."""
    return shortened(" ".join(message.split()), most)


def _configs(launch: "Launch") -> str:
    """Return the config of a launch, and the one that it took up while it ran."""
    later = launch.told_config_hash
    return short_hash(launch.config_hash) + (f" → {short_hash(later)}" if later else "")


def _launch(launch: "Launch", most: int) -> Row:
    end = (launch.end or launch.state).replace("_", " ")
    if launch.end not in (None, "finished", "goal_reached", "stopped") and launch.message:
        end += f": {theirs(_begun(launch.message, most))}"
    return (
        when(launch.launched_at),
        launch.campaign,
        f"g{launch.generation}-a{launch.attempt}",
        launch.specs_commit[:7],
        _configs(launch),
        short_code(launch.code_version),
        _steps(launch.from_step, launch.to_step),
        end,
    )
