"""Geometry of the drawings. Templates turn it into inline SVG; every figure also stands as text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Status
from grader.scoring.series import collect_series, point_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.models import Evidence, Measurement
    from grader.scoring.series import Point

__all__ = ["Bullet", "Diagram", "Dot", "Strip", "bullets", "diagrams", "strips"]

WIDTH = 300.0
_COUNT = re.compile(r"\bn=(\d+)")
_LOG_FACTOR = 50  # value and threshold further apart than this need a logarithmic axis
_LEAST_EXPONENT = -17
_SAYS = {"low": "at most", "high": "at least", "near": "close to"}


@dataclass(frozen=True, slots=True)
class Bullet:
    """One figure beside its threshold.

    Attributes:
        good: whether the figure is on the good side of its threshold.
        side: of the good side, its start and width, 0-300; None where near is good.
        says: the good side in words.
        width: of the bar, 0-300.
        mark: where the threshold is drawn, 0-300.
        logarithmic: whether the axis is.
    """

    title: str
    test_id: str
    name: str
    value: str
    threshold: str
    unit: str
    passed: bool
    good: bool
    side: tuple[float, float] | None
    says: str
    width: float
    mark: float
    logarithmic: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """A series of shares, one bar a point.

    Attributes:
        bars: of each the name, the value, the mark in words, the bar's width, where the mark is
            drawn, and whether the value is good.
    """

    name: str
    bars: tuple[tuple[str, str, str, float, float | None, bool], ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a reliability diagram: confidence across, share right upwards, area by count."""

    name: str
    confidence: float
    right: float
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Diagram:
    """A reliability diagram, 200 by 200; a calibrated model's dots lie on the diagonal."""

    name: str
    dots: tuple[Dot, ...]


def bullets(evidence: Sequence[Evidence]) -> tuple[Bullet, ...]:
    """Each figure with a threshold that is no point of a series; those that failed first.

    A figure on the good side of its threshold is not why its check failed, and is left out there.
    """
    found = [
        _bullet(record, m)
        for record in evidence
        for m in record.measurements
        if m.threshold is not None
        and point_of(m) is None
        and math.isfinite(m.value)
        and math.isfinite(m.threshold)
        and (record.status is Status.PASSED or not m.is_good)
    ]
    return tuple(sorted(found, key=lambda bullet: bullet.passed))


def _bullet(record: Evidence, m: Measurement) -> Bullet:
    threshold = m.threshold or 0.0
    value, limit = abs(m.value), abs(threshold)
    low, high = sorted((value, limit))
    logarithmic = limit > 0 and high > _LOG_FACTOR * max(low, 1e-300)
    if logarithmic:
        top = max(0.0, math.log10(high))
        width, mark = (_log_place(figure, top) for figure in (value, limit))
    else:
        scale = WIDTH / (high * 1.15) if high else 0.0
        width, mark = value * scale, limit * scale
    width, mark = round(width, 1), round(mark, 1)
    sides = {"low": (0.0, mark), "high": (mark, round(WIDTH - mark, 1))}
    return Bullet(
        title=record.test.title or record.test.id,
        test_id=record.test.id,
        name=m.name,
        value=_figure(m.value),
        threshold=_figure(threshold),
        unit=m.unit,
        passed=record.status is Status.PASSED,
        good=m.is_good,
        side=sides.get(m.better),
        says=_SAYS[m.better],
        width=width,
        mark=mark,
        logarithmic=logarithmic,
    )


def _log_place(figure: float, top: float) -> float:
    if figure <= 0:
        return 0.0
    exponent = max(math.log10(figure), _LEAST_EXPONENT)
    return (exponent - _LEAST_EXPONENT) / (top - _LEAST_EXPONENT) * WIDTH / 1.05


def _figure(value: float) -> str:
    return f"{value:.3g}"


def _series(evidence: Sequence[Evidence]) -> dict[str, list[Point]]:
    return collect_series(m for record in evidence for m in record.measurements)


def _is_reliability(name: str, points: Sequence[Point]) -> bool:
    return name.startswith("reliability") and all(point.mark is not None for point in points)


def diagrams(evidence: Sequence[Evidence]) -> tuple[Diagram, ...]:
    """A diagram for each series called ``reliability…`` whose points have a mean confidence."""
    return tuple(
        Diagram(name, tuple(_dot(point, points) for point in points))
        for name, points in _series(evidence).items()
        if _is_reliability(name, points)
    )


def _dot(point: Point, points: Sequence[Point]) -> Dot:
    most = max(_count(other) for other in points)
    confidence, right = _share(point.mark or 0.0), _share(point.value)
    return Dot(
        name=point.name,
        confidence=confidence,
        right=right,
        x=round(confidence * 200, 1),
        y=round(200 - right * 200, 1),
        radius=round(3 + 7 * math.sqrt(_count(point) / most), 1),
    )


def _count(point: Point) -> int:
    match = _COUNT.search(point.name)
    return int(match[1]) if match and len(match[1]) < 10 else 1  # noqa: PLR2004 - a count


def strips(evidence: Sequence[Evidence]) -> tuple[Strip, ...]:
    """The other series."""
    return tuple(
        Strip(name, tuple(_bar(point) for point in points))
        for name, points in _series(evidence).items()
        if not _is_reliability(name, points)
    )


def _bar(point: Point) -> tuple[str, str, str, float, float | None, bool]:
    mark = None if point.mark is None else round(_share(point.mark) * WIDTH, 1)
    width = round(_share(point.value) * WIDTH, 1)
    limit = "" if point.mark is None else f"{_SAYS[point.better]} {_figure(point.mark)}"
    return point.name, _figure(point.value), limit, width, mark, point.good


def _share(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
