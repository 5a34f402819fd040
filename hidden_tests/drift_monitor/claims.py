"""Statements about rates, held by exact binomial bounds.

A statement of the task sheet ("9 in 10 times", "at most 5 % of reports") is refuted only by a
count that a submission which just keeps it would have less than once in 10,000 runs. What lies
between is a close call and costs nothing, so methods on either side of the stated rate do not
depend on a run's luck.
"""

from __future__ import annotations

import math

REFUTED = 1e-4


def _tail(counts: range, trials: int, rate: float) -> float:
    """The probability that the count of a binomial draw is one of `counts`."""
    return sum(
        math.comb(trials, count) * rate**count * (1 - rate) ** (trials - count) for count in counts
    )


def fewest(trials: int, rate: float) -> int:
    """The smallest count that does not refute "at least `rate`"."""
    count = 0
    while _tail(range(count + 1), trials, rate) < REFUTED:
        count += 1
    return count


def most(trials: int, rate: float) -> int:
    """The largest count that does not refute "at most `rate`"."""
    count = trials
    while count > 0 and _tail(range(count, trials + 1), trials, rate) < REFUTED:
        count -= 1
    return count


def most_of_mean(mean: float) -> int:
    """The largest count of rare events that does not refute "at most `mean` expected"."""
    count, term, below = 0, math.exp(-mean), math.exp(-mean)
    while 1 - below >= REFUTED:
        count += 1
        term *= mean / count
        below += term
    return count


def assert_often(count: int, trials: int, rate: float, what: str) -> None:
    """Hold that `count` of `trials` does not refute "at least `rate`"."""
    least = fewest(trials, rate)
    if not count >= least:
        raise AssertionError(f"{what}: {count} of {trials}; chance explains {least} or more")


def assert_seldom(count: int, trials: int, rate: float, what: str) -> None:
    """Hold that `count` of `trials` does not refute "at most `rate`"."""
    limit = most(trials, rate)
    if not count <= limit:
        raise AssertionError(f"{what}: {count} of {trials}; chance explains {limit} or fewer")


def assert_few(count: int, mean: float, what: str) -> None:
    """Hold that a count of rare events does not refute "at most `mean` expected"."""
    limit = most_of_mean(mean)
    if not count <= limit:
        raise AssertionError(f"{what}: {count}; chance explains {limit} or fewer")
