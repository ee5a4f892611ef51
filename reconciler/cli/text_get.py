"""Listings and the history as tables. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.cli.text_layout import (
    PLAIN,
    Column,
    Paint,
    count,
    short_code,
    short_hash,
    shortened,
    size,
    table,
)

if TYPE_CHECKING:
    from reconciler.app.get import Listing
    from reconciler.app.history import History, Launch

Row = Sequence[object]
_MOST_OF_A_MESSAGE = 40
_WIDEST_HISTORY = 300


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
    step = f"{item.step:,}" + (f" of {item.goal_updates:,}" if item.goal_updates else "")
    saves = f"{item.num_checkpoints:,} ({size(item.checkpoint_bytes)})" if item.num_checkpoints else ""
    return ("→" if item.is_active else "", item.id, step, item.synced, item.healthy, saves, item.reason)


def _hero(item: Any) -> Row:
    name = " ".join(part for part in (item.name, item.title) if part)
    return (item.id, name, item.optimizer, item.num_campaigns, item.model, item.blocked or "")


def _quest(item: Any) -> Row:
    return (item.id, item.priority, item.epochs, item.state, ", ".join(item.is_for), item.source)


def _job(item: Any) -> Row:
    steps = _steps(item.start_step, item.final_step)
    status = f"{item.status}: {item.last_error}" if item.last_error else item.status
    losses = (loss(item.final_loss), loss(item.final_val_loss))
    return (item.quest, item.campaign, f"{item.num_examples:,}", item.epochs, steps, *losses, status)


def _checkpoint(item: Any) -> Row:
    state = f"{item.state}: {item.reason}" if item.reason else item.state
    losses = (loss(item.train_loss), loss(item.val_loss) or "-")
    num_bytes = size(item.size_bytes) if item.size_bytes else ""
    return (item.id, when(item.saved_at), *losses, num_bytes, short_hash(item.config_hash), state)


def _run(item: Any) -> Row:
    end = item.end.replace("_", " ") if item.end else item.state
    known = (short_hash(item.config_hash), short_code(item.code_version), item.specs_commit[:7])
    return (item.id, when(item.launched_at), item.device, _steps(item.from_step, item.to_step), *known, end)


def _skill(item: Any) -> Row:
    return (item.id, item.name or "", item.max_level, item.num_quests, item.source or "")


def _titles(*names: str) -> list[Column]:
    """Return columns; a name that starts with > is set to the right."""
    return [Column(name.removeprefix(">"), right=name.startswith(">")) for name in names]


_TABLES: Mapping[str, tuple[list[Column], Callable[[Any], Row]]] = {
    "campaigns": (_titles("", "campaign", ">step", "synced", "healthy", ">checkpoints", "reason"), _campaign),
    "heroes": (_titles("hero", "name", "optimizer", ">campaigns", "model", "blocked"), _hero),
    "quests": (_titles("quest", "priority", ">epochs", "state", "for", "rows"), _quest),
    "jobs": (
        _titles("quest", "campaign", ">rows", ">epochs", ">steps", ">loss", ">held-out", "status"),
        _job,
    ),
    "checkpoints": (
        _titles("checkpoint", "saved (UTC)", ">loss", ">held-out", ">size", "config", "state"),
        _checkpoint,
    ),
    "runs": (
        _titles("run", "launched (UTC)", "device", ">steps", "config", "code", "specs", "end"),
        _run,
    ),
    "skills": (_titles("skill", "name", ">levels", ">quests", "source"), _skill),
}


def listing_text(listing: "Listing", width: int, paint: Paint = PLAIN) -> str:
    """Return everything of a kind as a table."""
    if not listing.items:
        return f"no {listing.kind}"
    titles, row = _TABLES[listing.kind]
    return table(titles, [row(item) for item in listing.items], width, paint)


def history_text(history: "History", width: int, paint: Paint = PLAIN) -> str:
    """Return every launch: when, what, at which commit, config and code, how far, how it ended."""
    if not history.launches:
        return "nothing has been launched yet"
    titles = _titles("launched (UTC)", "campaign", "run", "specs", "config", "code", ">steps", "end")
    rows = [_launch(launch) for launch in history.launches]
    one_line_each = max(width, _WIDEST_HISTORY)
    return f"{table(titles, rows, one_line_each, paint)}\n{count(len(rows), 'launch')}"


def _begun(message: str) -> str:
    """Return how a message begins; `history --json` holds all of it."""
    first, *rest = message.splitlines() or [""]
    return shortened(f"{first}…" if rest else first, _MOST_OF_A_MESSAGE)


def _launch(launch: "Launch") -> Row:
    end = (launch.end or launch.state).replace("_", " ")
    if launch.end not in (None, "finished", "goal_reached", "stopped") and launch.message:
        end += f": {_begun(launch.message)}"
    return (
        when(launch.launched_at),
        launch.campaign,
        f"g{launch.generation}-a{launch.attempt}",
        launch.specs_commit[:7],
        short_hash(launch.config_hash),
        short_code(launch.code_version),
        _steps(launch.from_step, launch.to_step),
        end,
    )
