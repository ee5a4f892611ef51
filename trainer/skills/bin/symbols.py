"""Symbols of their own for most problems from level 8 on, so that the pattern is learnt and not the sign."""

from trainer.skills.bin.notation import Notation
from trainer.skills.draws import Draws

_LISTED_PERCENT = 85
"""Share of the operations that a key lists; one that it leaves out keeps its plain name, as in the skill's
own evaluation sets."""

_DIGIT_PAIRS = (
    ("🔺", "🔻"), ("🌕", "🌑"), ("🐇", "🐢"), ("🧊", "🌋"), ("🟣", "🟢"), ("🔴", "🔵"), ("🐻", "🐼"),
    ("🎵", "🎶"), ("🔷", "🔶"), ("moon", "sun"), ("low", "high"),
)  # fmt: skip

_NAMES: dict[str, tuple[str, ...]] = {
    "absolute_value": ("abs", "size", "magnitude", "📏", "📐"),
    "add": ("plus", "sum", "join", "combine", "➕", "⚡", "🔗"),
    "add_signed": ("sadd", "splus", "signed_add", "➕🔢"),
    "decrement": ("drop", "dec", "prev", "⬇️", "📉"),
    "divide": ("div", "split", "halve", "➗", "🔪"),
    "divide_by_2": ("half", "div2", "bisect", "halve", "🔽", "⏬"),
    "equals": ("same", "equal", "match", "⚖️", "🟰"),
    "greaterthan": ("over", "above", "larger", "▶️", "➡️"),
    "increment": ("inc", "next", "bump", "⬆️", "📈"),
    "lessthan": ("under", "below", "smaller", "◀️", "⬅️"),
    "maximum": ("max", "most", "largest", "⏫"),
    "minimum": ("min", "least", "smallest", "⬇️"),
    "multiply": ("times", "mult", "product", "✖️", "🌀"),
    "multiply_by_2": ("double", "twice", "mul2", "x2", "⏫", "🔼"),
    "multiply_signed": ("smul", "stimes", "signed_mul", "✖️🔢"),
    "negate": ("neg", "flip", "invert", "🔄", "↔️"),
    "sign_of": ("sign", "direction", "polarity", "🔀"),
    "subtract": ("diff", "take", "remove", "reduce", "➖", "💨"),
    "subtract_signed": ("ssub", "sminus", "signed_sub", "➖🔢"),
    "tobinary": ("binary", "encode", "📝", "🔢"),
    "todecimal": ("decimal", "decode", "dec", "📊", "🔟"),
}


def draw_notation(draws: Draws) -> Notation:
    """Return digits and names chosen at random; within one key a symbol means one operation."""
    zero, one = draws.one_of(_DIGIT_PAIRS)
    if draws.chance(50):
        zero, one = one, zero
    symbols: dict[str, str] = {}
    for operation, names in _NAMES.items():
        symbol = draws.one_of(names)
        if draws.chance(_LISTED_PERCENT) and symbol not in symbols:
            symbols[symbol] = operation
    return Notation(zero=zero, one=one, symbols=tuple(symbols.items()))
