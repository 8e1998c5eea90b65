"""Durations, read and spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.durations import FORMS, parse, spell
from tests.tables import each_row


@each_row(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("2.5", 2.5),
        ("0", 0.0),
        ("90s", 90.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("1h2m3s4ms", 3723.004),
        (" 7 ", 7.0),
        ("1.5h", 5400.0),
    ],
)
def test_each_documented_form_is_read(text: str, seconds: float) -> None:
    """Plain seconds, and numbers with units in falling order."""
    assert parse(text) == pytest.approx(seconds)


SIGNED = ["nan", "inf", "-inf", "infinity", "-1", "+1", "1e3", "1h-5m", "--"]
ODD = ["", " ", "1_000", "10 m", "10M", "1m1h", "1s1s", ".5", "5.", "1d", "ten", "٣", "1,5", "0x10", "s", "m5"]
LONG = ["9" * 400, "9" * 400 + "h", "99999999h", "8785h"]


@each_row("text", [*SIGNED, *ODD, *LONG])
def test_anything_else_is_refused(text: str) -> None:
    """Signs, exponents, other units, other digits, times no build could take: none is a duration."""
    with pytest.raises(ValueError, match="duration"):
        parse(text)


def test_refusal_shows_the_forms() -> None:
    """Whoever mistypes a duration reads how it is written."""
    with pytest.raises(ValueError, match="500ms") as caught:
        parse("soon")
    assert FORMS in str(caught.value)


@given(st.text())
def test_any_text_is_a_finite_duration_or_refused(text: str) -> None:
    """Nothing but `ValueError` comes out, and no duration that no clock can add."""
    try:
        seconds = parse(text)
    except ValueError:
        return
    assert 0 <= seconds < 1e9


@each_row(
    ("seconds", "text"),
    [
        (-3.0, "0.0 s"),
        (0.0, "0.0 s"),
        (0.44, "0.4 s"),
        (0.96, "1 s"),
        (12.3, "12 s"),
        (60.0, "1 m"),
        (61.0, "1 m 1 s"),
        (3600.0, "1 h"),
        (5403.0, "1 h 30 m"),
    ],
)
def test_seconds_are_spelled_the_short_way(seconds: float, text: str) -> None:
    """Two units at most."""
    assert spell(seconds) == text
