"""Statements about rates, held by exact binomial bounds.

A statement of the task sheet ("9 in 10 times", "at most 5 % of reports") is refuted only by a
count that a submission which just keeps it would have less than once in 10,000 runs. What lies
between is a close call and costs nothing, so methods on either side of the stated rate do not
depend on a run's luck.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class Often:
    """A count of trials that holds "at least `rate`" and ends as soon as its verdict is certain.

    Curtailed sampling: the verdict is that of all `trials`, which seldom are all needed. Iterate
    over it, and add what each turn found.

    Args:
        trials: how many there are at most.
        rate: the share of hits that is claimed.
    """

    def __init__(self, trials: int, rate: float) -> None:
        self._trials = trials
        self._least = fewest(trials, rate)
        self._hits = 0
        self._tried = 0

    def __iter__(self) -> Iterator[int]:
        while not self._is_certain():
            yield self._tried

    def _is_certain(self) -> bool:
        left = self._trials - self._tried
        return left <= 0 or not self._hits < self._least <= self._hits + left

    def add(self, hits: int, trials: int = 1) -> None:
        """Add so many trials, of which so many were hits."""
        self._hits += hits
        self._tried += trials

    @property
    def share(self) -> float:
        """The share of hits in the trials so far."""
        return self._hits / self._tried

    def check(self, what: str) -> None:
        """Hold that the hits do not refute the claim."""
        if not self._hits >= self._least:
            raise AssertionError(
                f"{what}: {self._hits} of {self._tried}; of {self._trials} chance explains "
                f"{self._least} or more"
            )


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
