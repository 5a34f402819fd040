"""Measurements that belong together: the points of one series.

A hidden test that measures the same thing at several points names them ``series[point]``, such as
``accuracy by channel[email]``. Each point is a measurement like any other (it is in every report
by that name); reports can also draw the series. Values are shares of one; the threshold of a
point, where it has one, is drawn as a mark: a limit, or what the value should ideally be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.models import Measurement

__all__ = ["Point", "collect_series", "point_of"]

_POINT = re.compile(r"(?P<series>[^\[\]]{1,60})\[(?P<point>[^\[\]]{1,60})\]")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a series.

    Attributes:
        series: its name.
        name: the point's own.
        value: what was measured.
        mark: limit or ideal value, if there is one.
        better: which side of the mark is good, as of a measurement.
        good: whether the value is there.
    """

    series: str
    name: str
    value: float
    mark: float | None
    better: str = "near"
    good: bool = True


def point_of(measurement: Measurement) -> Point | None:
    """The measurement as a point of a series, None for one that stands alone."""
    match = _POINT.fullmatch(measurement.name)
    if match is None:
        return None
    m = measurement
    return Point(match["series"], match["point"], m.value, m.threshold, m.better, m.is_good)


def collect_series(measurements: Iterable[Measurement]) -> dict[str, list[Point]]:
    """All series that do not differ from run to run, by name, points in the order recorded."""
    found: dict[str, list[Point]] = {}
    for measurement in measurements:
        point = point_of(measurement)
        if point is not None and not measurement.volatile:
            found.setdefault(point.series, []).append(point)
    return found
