"""`diff A B`: two heroes, campaigns or checkpoints side by side: config with origins, data, metrics."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from reconciler.app.comparing.curves import Curve, curves_of
from reconciler.app.comparing.diff_sides import Side, Told, comparable, side_of
from reconciler.app.comparing.earlier_settings import Earlier
from reconciler.app.planning.look import View, look
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.place import Options
from state.unknown import WORD

NOT_KNOWN = "not known"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the config in which the two differ."""

    key: str
    a: Any
    """null: not set there."""
    a_origin: str | None
    b: Any
    b_origin: str | None


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The same thing on both sides; null where one has none."""

    name: str
    a: Any
    b: Any


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two things of one kind, side by side."""

    schema_version: int = 1
    kind: str
    """hero, campaign or checkpoint."""
    a: str
    b: str
    config: tuple[Setting, ...]
    """Keys in which they differ."""
    num_equal: int
    """Keys that both have with the same value."""
    not_recorded: tuple[str, ...] = ()
    """Things whose config is not recorded here; no setting is compared then."""
    is_equal_by_hash: bool = False
    """Not recorded, and yet known to be the same: the two have one config hash."""
    a_earlier: tuple[Earlier, ...] = ()
    """Campaigns are compared as they are set now; this is what A was trained with before, by generation."""
    b_earlier: tuple[Earlier, ...] = ()
    data: tuple[Pair, ...]
    """Quest by quest, how much of it each has learnt."""
    metrics: tuple[Pair, ...]


def diff(environment: Environment, options: Options, a: str, b: str, svg: Path | None = None) -> Comparison:
    """Return how two things differ; with `svg`, draw their loss curves into that file.

    Raises:
        Misused: a word names nothing, or the two are of different kinds.
        NotFound: there is no such thing; or nothing was measured that could be drawn.
    """
    view = look(environment, options)
    left, right = side_of(view, a), side_of(view, b)
    if left.kind != right.kind:
        raise Misused(f"{left.name} is a {left.kind}, {right.name} a {right.kind}; expected two of one kind")
    if svg is not None:
        _draw(environment, view, left, right, svg)
    return compared(*comparable(left, right))


def compared(a: Side, b: Side) -> Comparison:
    """Return the two sides as one."""
    unknown = tuple(dict.fromkeys(side.name for side in (a, b) if not side.config))
    differing = tuple(_settings(a.config, b.config)) if not unknown else ()
    return Comparison(
        kind=a.kind,
        a=a.name,
        b=b.name,
        config=differing,
        num_equal=len({*a.config, *b.config}) - len(differing) if not unknown else 0,
        not_recorded=unknown,
        is_equal_by_hash=bool(unknown) and _have_one_hash(a, b),
        a_earlier=a.earlier,
        b_earlier=b.earlier,
        data=tuple(_told_if_known(pair, a, b) for pair in _pairs(a.data, b.data)),
        metrics=_pairs(a.metrics, b.metrics, in_order=True),
    )


def _settings(a: Mapping[str, Told], b: Mapping[str, Told]) -> Iterator[Setting]:
    for key in sorted({*a, *b}):
        left, right = a.get(key), b.get(key)
        if left is None or right is None or left.value != right.value:
            yield Setting(
                key=key,
                a=left.value if left else None,
                a_origin=left.origin if left else None,
                b=right.value if right else None,
                b_origin=right.origin if right else None,
            )


def _have_one_hash(a: Side, b: Side) -> bool:
    """Were two checkpoints trained with one config, as the hashes that they carry say?"""
    hashes = {side.metrics.get("config_hash") if side.kind == "checkpoint" else None for side in (a, b)}
    return len(hashes) == 1 and not hashes & {None, WORD}


def _told_if_known(pair: Pair, a: Side, b: Side) -> Pair:
    """Return what both have learnt of a quest: where nobody knows, that; not that it was nothing."""
    left, right = (None if side.is_data_known else NOT_KNOWN for side in (a, b))
    return Pair(name=pair.name, a=pair.a or left, b=pair.b or right)


def _pairs(a: Mapping[str, Any], b: Mapping[str, Any], *, in_order: bool = False) -> tuple[Pair, ...]:
    names = dict.fromkeys([*a, *b])
    return tuple(
        Pair(name=name, a=a.get(name), b=b.get(name)) for name in (names if in_order else sorted(names))
    )


def _draw(environment: Environment, view: View, a: Side, b: Side, file: Path) -> None:
    from reconciler.app.comparing.curves_svg import drawing  # only when asked for

    curves: list[Curve] = []
    for side in (a, b):
        for campaign in side.campaigns:
            curves += curves_of(view, campaign, side.until_step, side.segment)
    path = environment.cwd / file
    path.write_text(drawing(f"{a.name} and {b.name}", curves), encoding="utf-8")
