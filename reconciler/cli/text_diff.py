"""Two things side by side as tables. Pure."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.cli.text_layout import (
    INDENT,
    PLAIN,
    Column,
    Paint,
    folded,
    safe,
    short_code,
    short_hash,
    table,
)
from state.amounts import count, moment, size

if TYPE_CHECKING:
    from reconciler.app.comparing.diff import Comparison, Pair, Setting
    from reconciler.app.comparing.earlier_settings import Earlier

_PEOPLE_SAY = {
    "train_loss": "loss",
    "val_loss": "held-out loss",
    "best_val_loss": "best held-out loss",
    "measured_on": "held-out rows",
    "best_measured_on": "best on held-out rows",
    "best_checkpoint": "best, living history",
    "better_left_checkpoint": "better, other segment",
    "total_examples_trained": "examples trained",
    "checkpoint_bytes": "size of checkpoints",
    "config_hash": "trained with config",
}
_SHORT = {"config_hash": short_hash, "code": short_code}


def diff_text(found: "Comparison", width: int | None, paint: Paint = PLAIN) -> str:
    """Return config, data and metrics of two things side by side."""
    sides = (safe(found.a), safe(found.b))
    parts = [_config(found, sides, width, paint)]
    if before := [*_before(sides[0], found.a_earlier, width), *_before(sides[1], found.b_earlier, width)]:
        parts.append("\n".join(before))
    if found.data:
        parts.append(_pairs("learnt", found.data, sides, width, paint))
    if found.metrics:
        parts.append(_pairs("measured", found.metrics, sides, width, paint))
    return "\n\n".join(parts)


def _config(found: "Comparison", sides: tuple[str, str], width: int | None, paint: Paint) -> str:
    if found.not_recorded:
        return _not_recorded(found, width)
    equal = f"{count(found.num_equal, 'setting')} equal"
    if not found.config:
        return f"The config does not differ: {equal}."
    columns = [
        Column("config"),
        Column(sides[0], is_name=True),
        Column("from", spare=2),
        Column(sides[1], is_name=True),
        Column("from", spare=1),
    ]
    rows = [_setting(one) for one in found.config]
    return f"{table(columns, rows, width, paint)}\n{paint(f'{equal}.', 'dim')}"


def _not_recorded(found: "Comparison", width: int | None) -> str:
    """Return that no setting can be compared, and whether the hash says that they are the same."""
    whose = " and ".join(map(safe, found.not_recorded))
    same = "; the config hash is the same, so that no setting differs" if found.is_equal_by_hash else ""
    verb = "is" if len(found.not_recorded) == 1 else "are"
    told = f"The config of {whose} {verb} not recorded here{same}."
    return "\n".join(folded(told, width) if width is not None else [told])


def _before(name: str, earlier: "Sequence[Earlier]", width: int | None) -> list[str]:
    """Return what a campaign was trained with before, a generation a line."""
    lines: list[str] = []
    for one in earlier:
        steps = f"{one.from_step:,} to {one.to_step:,}" if one.to_step is not None else f"{one.from_step:,}"
        values = (f"{safe(key)} {_value_of(value)}" for key, value in one.settings.items())
        told = f"Before, {name} g{one.generation}, steps {steps}: {', '.join(values) or 'the same settings'}"
        first, *rest = folded(told, width - len(INDENT)) if width is not None else [told]
        lines += [first, *(f"{INDENT}{line}" for line in rest)]
    return lines


def _value_of(value: Any) -> str:
    return "unset" if value is None else safe(_shown(value, ""))


def _setting(one: "Setting") -> tuple[object, ...]:
    left, right = _shown(one.a, one.a_origin), _shown(one.b, one.b_origin)
    return (one.key, left, one.a_origin or "", right, one.b_origin or "")


def _shown(value: Any, origin: str | None) -> str:
    if origin is None or value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _pairs(
    title: str, pairs: "Iterable[Pair]", sides: tuple[str, str], width: int | None, paint: Paint
) -> str:
    columns = [Column(title), Column(sides[0], is_name=True), Column(sides[1], is_name=True)]
    rows = [(_label(one.name), _value(one.name, one.a), _value(one.name, one.b)) for one in pairs]
    return table(columns, rows, width, paint)


def _label(name: str) -> str:
    if name in _PEOPLE_SAY:
        return _PEOPLE_SAY[name]
    return name.removesuffix("_bytes").replace("_", " ")


def _value(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in _SHORT:
        return _SHORT[name](str(value))
    if name.endswith("_bytes"):
        return size(value)
    if name == "saved":
        return moment(value)
    if isinstance(value, float):
        return f"{value:.0%}" if name.startswith("accuracy") else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
