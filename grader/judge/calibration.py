"""Accuracy, macro-F1 and calibration of a classifier, computed by the judge from raw answers.

Everything here takes labels that the judge knows and what a candidate answered, and gives plain
numbers. `measure_reliability` and `measure_slices` record them as series (``name[point]``), which
reports draw as bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Bin",
    "expected_calibration_error",
    "macro_f1",
    "measure_reliability",
    "measure_slices",
    "reliability_bins",
    "slice_accuracy",
]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in one part of 0 to 1.

    Attributes:
        low: lower edge, included.
        high: upper edge, included in the last bin only.
        count: number of answers.
        confidence: their mean confidence.
        accuracy: the share of them that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = BINS
) -> list[Bin]:
    """Answers by confidence, in bins of equal width; empty bins are left out.

    Args:
        confidence: of n answers, 0 to 1.
        right: whether each answer is right, shape ``(n,)``.
        bins: their number.

    Raises:
        AssertionError: a confidence outside 0 to 1, or not one for each answer.
    """
    if confidence.shape != right.shape:
        raise AssertionError(f"{len(confidence)} confidences for {len(right)} answers")
    if not bool(np.isfinite(confidence).all()) or bool(((confidence < 0) | (confidence > 1)).any()):
        raise AssertionError("a confidence is not between 0 and 1")
    places = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    found = []
    for place in range(bins):
        inside = places == place
        if not inside.any():
            continue
        found.append(
            Bin(
                low=place / bins,
                high=(place + 1) / bins,
                count=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(right[inside].mean()),
            )
        )
    return found


def expected_calibration_error(found: Sequence[Bin]) -> float:
    """Mean distance of confidence and accuracy over bins, weighted by their answers; 0 to 1.

    Naeini, Cooper and Hauskrecht (AAAI 2015). Of few answers it is above 0 also for a calibrated
    model: compare it with a reference's on the same rows.
    """
    total = sum(part.count for part in found)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in found) / max(total, 1)


def macro_f1(truth: Sequence[str], answered: Sequence[str]) -> float:
    """Mean F1 over the labels that occur in the truth, each with the same weight."""
    due, got = np.array(truth, dtype=object), np.array(answered, dtype=object)
    scores = []
    for label in sorted(set(truth)):
        both = int(((due == label) & (got == label)).sum())
        either = int((due == label).sum()) + int((got == label).sum())
        scores.append(2 * both / either)
    return float(np.mean(scores))


def slice_accuracy(right: NDArray[np.bool_], groups: Sequence[str]) -> dict[str, float]:
    """The share of right answers in each group, by name."""
    names = np.array(groups, dtype=object)
    return {name: float(right[names == name].mean()) for name in sorted(set(groups))}


def measure_reliability(measure: Callable[..., None], found: Sequence[Bin]) -> None:
    """Record a reliability diagram: accuracy by confidence, with the mean confidence as mark."""
    for part in found:
        measure(
            f"reliability[confidence {part.low:.1f}-{part.high:.1f}, n={part.count}]",
            part.accuracy,
            "share right",
            part.confidence,
            better="near",
        )


def measure_slices(
    measure: Callable[..., Any], name: str, values: dict[str, float], limits: dict[str, float]
) -> None:
    """Record one share for each slice, with the limit that it is held to as mark."""
    for point, value in values.items():
        measure(f"{name}[{point}]", value, "share right", limits[point], better="high")
