"""Durations as people write and read them."""

import re

FORMS = "90, 2.5, 90s, 10m, 1h30m or 500ms"

MOST = 366 * 24 * 3600.0
"""The longest duration in seconds. Far longer ones overflow the timeout of a socket, or a date."""

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)?", re.ASCII)


def parse(text: str) -> float:
    """Return the seconds that `text` means: plain seconds, or numbers with the units h, m, s and ms in this order.

    Raises `ValueError` for anything else, such as `nan`, `inf`, a sign or an exponent, and for more than a year.
    """
    text = text.strip()
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    is_in_order = units == [""] or (units and units == [unit for unit in _UNITS if unit in units])
    if not is_in_order or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write it as {FORMS}")
    seconds = sum(float(number) * _UNITS.get(unit, 1.0) for number, unit in parts)
    if seconds > MOST:
        raise ValueError(f"{text[:20]!r} is too long a duration; the longest is a year")
    return seconds


def spell(seconds: float) -> str:
    """Return seconds in a short form with at most two units: `0.4 s`, `12 s`, `5 m`, `1 h 30 m`."""
    if seconds < 0.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [(hours, "h"), (minutes, "m"), (rest if not hours else 0, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
