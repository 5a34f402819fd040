"""Drawings of what was measured say which side of a threshold is good."""

from __future__ import annotations

import pytest

from grader.models import CollectedTest, Evidence, Measurement, Status
from grader.report.html.figures import bullets, strips


def record(status: Status, *measurements: Measurement) -> Evidence:
    test = CollectedTest("test_it.py::test_it", "core", "It holds", "")
    return Evidence(test, status, measurements=measurements)


@pytest.mark.parametrize(
    ("better", "value", "good"),
    [
        ("low", 3.0, True), ("low", 5.0, False), ("low", -5.0, False), ("low", 4.0, True),
        ("high", 3.0, False), ("high", 5.0, True), ("high", 4.0, True),
        ("near", 3.0, True), ("near", 5.0, True),
    ],
)  # fmt: skip
def test_the_good_side_depends_on_the_figure(better: str, value: float, good: bool) -> None:
    assert Measurement("x", value, "", 4.0, better=better).is_good is good


def test_the_good_side_is_drawn() -> None:
    low, high, near = bullets(
        [
            record(
                Status.PASSED,
                Measurement("a", 1.0, "s", 2.0),
                Measurement("b", 3.0, "s", 2.0, better="high"),
                Measurement("c", 3.0, "s", 2.0, better="near"),
            )
        ]
    )
    assert low.side == (0.0, low.mark)
    assert high.side == (high.mark, round(300 - high.mark, 1))
    assert near.side is None
    assert [bullet.says for bullet in (low, high, near)] == ["at most", "at least", "close to"]


def test_a_figure_that_is_not_why_a_check_failed_is_not_drawn() -> None:
    good, bad = Measurement("cost", 1.0, "s", 2.0), Measurement("gap", 3.0, "", 2.0)
    (drawn,) = bullets([record(Status.FAILED, good, bad)])
    assert (drawn.name, drawn.good, drawn.passed) == ("gap", False, False)


def test_a_point_below_its_limit_is_marked() -> None:
    points = [
        Measurement(f"accuracy[{name}]", value, "share right", 0.8, better="high")
        for name, value in (("email", 0.9), ("chat", 0.7))
    ]
    (strip,) = strips([record(Status.FAILED, *points)])
    assert [(bar[0], bar[2], bar[-1]) for bar in strip.bars] == [
        ("email", "at least 0.8", True),
        ("chat", "at least 0.8", False),
    ]
