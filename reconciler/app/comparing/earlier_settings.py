"""What a campaign was trained with before its newest generation; `diff` compares the newest ones."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from state.store.rows import RunRow


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """One generation, and in what it differed from the one after it."""

    generation: int
    from_step: int
    to_step: int | None
    """null: nothing of it was saved."""
    settings: Mapping[str, Any]
    """Key → value of each setting that is another one in the next generation; null where it had none."""


def earlier_settings(runs: Sequence[RunRow]) -> tuple[Earlier, ...]:
    """Return the generations of a campaign but the newest one, oldest first; `runs` in order of launch."""
    by_generation: dict[int, list[RunRow]] = {}
    for run in runs:
        by_generation.setdefault(run.generation, []).append(run)
    numbers = sorted(by_generation)
    return tuple(
        _earlier(by_generation[one], by_generation[after]) for one, after in itertools.pairwise(numbers)
    )


def _earlier(runs: Sequence[RunRow], after: Sequence[RunRow]) -> Earlier:
    mine, later = (dict(_flat(msgspec.json.decode(one[-1].config_json))) for one in (runs, after))
    return Earlier(
        generation=runs[0].generation,
        from_step=runs[0].resume_step or 0,
        to_step=max((run.final_step for run in runs if run.final_step is not None), default=None),
        settings={
            key.removeprefix("training."): mine.get(key)
            for key in sorted({*mine, *later})
            if mine.get(key) != later.get(key)
        },
    )


def _flat(record: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{at}{name}.")
        else:
            yield f"{at}{name}", value
