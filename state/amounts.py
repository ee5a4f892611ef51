"""Amounts as people read them: one way for sizes, durations and counts, wherever they are told. Pure."""

_THOUSAND, _ROUNDS_UP, _TWO_DIGITS = 1000, 999.5, 99.95
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def count(number: int, noun: str) -> str:
    """Return `1 quest` or `2 launches`, with thousands set apart."""
    hisses = noun.endswith(("ch", "sh", "s", "x")) and not noun.endswith("epoch")
    ending = "" if number == 1 else "es" if hisses else "s"
    return f"{number:,} {noun}{ending}"


def counts(**numbers: int) -> str:
    """Return `1 campaign, 2 checkpoints`: each noun of which there is one at least."""
    return ", ".join(count(number, noun) for noun, number in numbers.items() if number)


def size(num_bytes: float | None) -> str:
    """Return `61 MB` or `6.2 GB`, as disks are sold: a thousand bytes to the kilobyte; nothing for None."""
    if num_bytes is None:
        return ""
    amount, unit = float(num_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < _ROUNDS_UP or unit == "TB":
            break
        amount /= _THOUSAND
    decimals = 1 if unit not in ("B", "kB") and amount < _TWO_DIGITS else 0
    return f"{amount:.{decimals}f} {unit}".replace(".0 ", " ")


def duration(seconds: float | None) -> str:
    """Return `48 s`, `1m 50s`, `2h 10m` or `3d 4h`; where nothing is left over `10 min`, `1 h` or `3 d`."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(*divmod(whole, _MINUTE), ("m", "s", "min"))
    if whole < _DAY:
        return _two(*divmod(whole // _MINUTE, 60), ("h", "m", "h"))
    return _two(*divmod(whole // _HOUR, 24), ("d", "h", "d"))


def moment(at: str | None) -> str:
    """Return `2026-01-31 12:00 UTC`: a moment to the minute; nothing for None."""
    return f"{at[:16].replace('T', ' ')} UTC" if at else ""


def _two(large: int, small: int, units: tuple[str, str, str]) -> str:
    """Return both parts, or the large one alone with its unit for that."""
    first, second, alone = units
    if not small:
        return f"{large} {alone}"
    return f"{large}{first} {small:02d}{second}" if second == "s" else f"{large}{first} {small}{second}"


def energy(joules: float) -> str:
    """Return an energy as people read it: `850 J`, `12 Wh`, `1.4 kWh`."""
    watt_hours = joules / _HOUR
    if watt_hours < 1:
        return f"{joules:.0f} J"
    if watt_hours < _THOUSAND:
        return f"{watt_hours:.0f} Wh"
    return f"{watt_hours / _THOUSAND:.1f} kWh"
