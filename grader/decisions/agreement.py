"""How far people agree with each other and with the machine. Pure.

Three measures of levels from 1 upwards, because each hides something: the share of equal levels,
Cohen's kappa with quadratic weights (Cohen, "Weighted kappa", Psychological Bulletin 70, 1968), and
Krippendorff's alpha with the ordinal difference function (Krippendorff, "Computing Krippendorff's
alpha-reliability", 2011), which takes any number of raters. Intervals are percentile bootstrap
intervals over submissions (Efron, 1979) from a fixed seed, so that the same decisions give the same
figures. Below ten pairs there is nothing to say.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["LEAST", "Agreement", "Estimate", "agreement", "exact", "kappa", "ordinal_alpha"]

LEAST = 10  # pairs
_RESAMPLES = 200
_LOW, _HIGH = 0.025, 0.975

Unit = tuple[int, ...]
"""The levels that one submission got in one category, in the order of the raters."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where none is defined, as with one level only."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement in one category.

    Attributes:
        pairs: of levels that were compared.
        units: submissions that they are of.
        exact: share of equal levels.
        kappa: quadratic weighted; None below `LEAST` pairs, as the others.
        alpha: Krippendorff's, ordinal.
    """

    pairs: int
    units: int
    exact: Estimate | None = None
    kappa: Estimate | None = None
    alpha: Estimate | None = None


def agreement(units: Iterable[Sequence[int]]) -> Agreement:
    """All measures over some submissions; those with one level only are left out."""
    found = [tuple(unit) for unit in units if len(unit) > 1]
    pairs = sum(math.comb(len(unit), 2) for unit in found)
    if pairs < LEAST:
        return Agreement(pairs, len(found))
    counts = Counter(found)
    draw = random.Random(0)  # noqa: S311 - a resample, not a secret
    kinds, weights = list(counts), list(counts.values())
    # The same for all measures: drawing takes longer than measuring.
    resamples = [Counter(draw.choices(kinds, weights, k=len(found))) for _ in range(_RESAMPLES)]
    return Agreement(
        pairs,
        len(found),
        _estimate(exact, counts, resamples),
        _estimate(kappa, counts, resamples),
        _estimate(ordinal_alpha, counts, resamples),
    )


def _estimate(
    measure: Callable[[Mapping[Unit, int]], float | None],
    counts: Mapping[Unit, int],
    resamples: Sequence[Mapping[Unit, int]],
) -> Estimate:
    found = (measure(resample) for resample in resamples)
    values = sorted(value for value in found if value is not None)
    if not values:
        return Estimate(measure(counts), None, None)
    low = values[int(_LOW * (len(values) - 1))]
    high = values[math.ceil(_HIGH * (len(values) - 1))]
    return Estimate(measure(counts), low, high)


def _pairs(counts: Mapping[Unit, int]) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for unit, count in counts.items():
        for pair in itertools.combinations(unit, 2):
            found[pair] += count
    return found


def exact(counts: Mapping[Unit, int]) -> float | None:
    """The share of pairs with equal levels."""
    pairs = _pairs(counts)
    total = sum(pairs.values())
    return sum(n for (a, b), n in pairs.items() if a == b) / total if total else None


def kappa(counts: Mapping[Unit, int]) -> float | None:
    """Quadratic weighted kappa; None where both raters gave the same single level to all."""
    pairs = _pairs(counts)
    total = sum(pairs.values())
    first: Counter[int] = Counter()
    second: Counter[int] = Counter()
    for (a, b), n in pairs.items():
        first[a] += n
        second[b] += n
    seen = sum(n * (a - b) ** 2 for (a, b), n in pairs.items())
    chance = sum(first[a] * second[b] * (a - b) ** 2 for a in first for b in second)
    return 1 - seen * total / chance if chance else None


def ordinal_alpha(counts: Mapping[Unit, int]) -> float | None:
    """Krippendorff's alpha, ordinal; None where all levels are the same."""
    weighted: dict[tuple[int, int], float] = {}
    for unit, count in counts.items():
        for a, b in itertools.permutations(unit, 2):
            weighted[a, b] = weighted.get((a, b), 0.0) + count / (len(unit) - 1)
    totals: dict[int, float] = {}
    for (level, _), n in weighted.items():
        totals[level] = totals.get(level, 0.0) + n
    size = sum(totals.values())

    def distance(low: int, high: int) -> float:
        between = sum(totals.get(level, 0.0) for level in range(low, high + 1))
        return (between - (totals[low] + totals[high]) / 2) ** 2

    seen = chance = 0.0
    for low, high in itertools.combinations(sorted(totals), 2):
        apart = distance(low, high)
        seen += weighted.get((low, high), 0.0) * apart
        chance += totals[low] * totals[high] * apart
    return 1 - (size - 1) * seen / chance if chance else None
