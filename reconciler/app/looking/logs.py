"""`logs`: the trainer's own text, line by line, and what is added to it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import NotFound
from reconciler.app.surroundings.ground import campaign_in, store_of
from reconciler.app.surroundings.place import Options
from state.homes import find_home

POLL_SECONDS = 0.2


def log_of(environment: Environment, options: Options, campaign: str | None) -> Path:
    """Return where the log of a campaign's newest run lies (a link that moves with each launch).

    Raises:
        NotFound: nothing was applied, no such campaign, or it never ran.
    """
    layout = layout_of(environment, options)
    store = store_of(layout)
    name = campaign_in(store, campaign)
    row = next(row for row in store.campaigns if row.name == name)
    path = find_home(layout, row).places.training_log
    if not path.is_file():
        raise NotFound(f"campaign {name} has no log yet: it has not been launched (looked at {path})")
    return path


def read_lines(path: Path, last: int | None = None) -> list[str]:
    """Return the lines that are there, or the last ones of them."""
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    return [_text(line) for line in (lines if last is None else lines[len(lines) - min(last, len(lines)) :])]


def follow(
    path: Path, last: int | None = None, *, is_over: Callable[[], bool] = lambda: False
) -> Iterator[str]:
    """Yield the lines that are there and every one that comes; goes over to the next run's log by itself."""
    real = path.resolve()
    content = real.read_bytes()
    position = len(content)
    *lines, rest = content.split(b"\n")
    yield from (
        _text(line) for line in (lines if last is None else lines[len(lines) - min(last, len(lines)) :])
    )
    while not is_over():
        content = _read_from(real, position)
        position += len(content)
        *lines, rest = (rest + content).split(b"\n")
        yield from (_text(line) for line in lines)
        now = path.resolve()
        if not content and now != real and now.is_file():
            real, position, rest = now, 0, b""
            yield f"--- {real.parent.name} ---"
        elif not content:
            time.sleep(POLL_SECONDS)


def _read_from(path: Path, position: int) -> bytes:
    with path.open("rb") as file:
        file.seek(position)
        return file.read()


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r").expandtabs(8)
