"""The best schedule that is possible when the distribution of durations is known: the limit for all others."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

STEP = 1.0
"""Seconds between the ages at which a look may lie."""

LONGEST = 90
"""Steps between two looks at most."""


def best(durations: Sequence[float], calls: float) -> list[float]:
    """Return the ages of the looks with the least mean lag that spend about so many calls a build on the average."""
    cheap, dear = 0.01, 1000.0
    for _ in range(14):
        price = (cheap * dear) ** 0.5
        looks = _for_price(durations, price)
        spent = sum(1 + bisect_left(looks, duration) + 1 for duration in durations) / len(durations)
        cheap, dear = (cheap, price) if spent < calls else (price, dear)
    return looks


def _for_price(durations: Sequence[float], price: float) -> list[float]:
    """Minimise lag plus the price of the calls, in seconds, by dynamic programming from the last build backwards."""
    size = int(max(durations) / STEP) + 2
    ended, sums = [0] * (size + 1), [0.0] * (size + 1)
    for duration in durations:
        place = int(duration / STEP) + 1
        ended[place] += 1
        sums[place] += duration
    ended, sums = list(accumulate(ended)), list(accumulate(sums))
    total = len(durations)
    cost, choice = [0.0] * (size + 1), [size] * (size + 1)
    for now in range(size - 1, -1, -1):
        alive = total - ended[now]
        if not alive:
            continue
        fee, base, seen = price * alive, ended[now], sums[now]
        cost[now], choice[now] = min(
            (fee + then * STEP * (ended[then] - base) - (sums[then] - seen) + cost[then], then)
            for then in range(now + 1, min(now + LONGEST, size) + 1)
        )
    looks, now = [], 0
    while now < size:
        now = choice[now]
        looks.append(now * STEP)
    return looks
