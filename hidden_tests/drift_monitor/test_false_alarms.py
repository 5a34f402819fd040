"""Quiet windows stay quiet: many features, many rows, and bins that see."""

from __future__ import annotations

import numpy as np
import pytest
from claims import Often, assert_seldom
from data import assert_probe, drifted, small
from wide import Wide, changed, mixed, moved, replaced

from grader.judge.compare import assert_value

WINDOWS = 6
FAMILY = "How many of 60 quiet features look unusual at the 5 % level?"
EFFECT = "Compare two large samples whose means differ by a hundredth."
OUTLIER = "What do bins of equal width, or a standard deviation, make of one huge value?"
COUNTS = "How many rows share a value where a number is 1, 2 or 3? What do quantiles make of it?"
BINS = "What do quantiles of a column look like that holds one value only?"


@pytest.mark.criterion("family", sheet="family", hint=FAMILY)
def test_sixty_quiet_features(solution, rng, measure):
    """Of ten pairs of quiet windows with 60 features few have any that is called drifted."""
    pairs, alarms = 10, 0
    assert_probe(solution, rng, Wide(rng, 50, 10))
    for _ in range(pairs):
        source = Wide(rng, 50, 10)
        report = solution.drift_report(source.reference(rng), source.current(rng))
        alarms += bool(drifted(report))
    measure("reports with a false alarm", alarms / pairs, "share", 0.05)
    assert_seldom(alarms, pairs, 0.05, "reports with a false alarm")


@pytest.mark.criterion("family", sheet="family", hint=FAMILY)
def test_the_smallest_windows(solution, rng):
    """So it is with the fewest rows that the sheet allows."""
    pairs, alarms = 5, 0
    assert_probe(solution, rng, Wide(rng, 45, 15), (1000, 400))
    for _ in range(pairs):
        source = Wide(rng, 45, 15)
        report = solution.drift_report(source.reference(rng, 1000), source.current(rng, 400))
        alarms += bool(drifted(report))
    assert_seldom(alarms, pairs, 0.05, "reports with a false alarm")


@pytest.mark.criterion("effect", sheet="effect", hint=EFFECT)
def test_many_rows_make_no_drift(solution, rng, measure):
    """With 20,000 rows on each side a distance of 0.02 to 0.035 is no drift."""
    reports, alarms = 4, 0
    assert_probe(solution, rng, Wide(rng, 4, 2), (20_000, 20_000))
    source = Wide(rng, 4, 2)
    old = source.reference(rng, 20_000)
    for _ in range(reports):
        current = source.current(rng, 20_000)
        for name in source.numbers[:2]:
            current = moved(current, source, name, float(rng.choice([-0.085, 0.085])))
        current = mixed(current, rng, source.texts[0], 0.035)
        alarms += bool(drifted(solution.drift_report(old, current)))
    measure("reports with a false alarm", alarms / reports, "share", 0.05)
    assert_seldom(alarms, reports, 0.05, "reports with a false alarm")


def _stuck(frame, old, number, text):
    """The window with one value of the reference in the place of all others."""
    middle, level = float(old[number].median()), str(old[text].mode().iloc[0])
    frame = changed(frame, number, lambda column: column.mask(column.notna(), middle))
    return changed(frame, text, lambda column: column.mask(column.notna(), level))


@pytest.mark.criterion("bins", sheet="stuck", hint=BINS)
@pytest.mark.parametrize("side", ["current", "reference"])
def test_a_feature_that_is_stuck(solution, rng, side):
    """A number or text that has one value only in one of the windows is drift."""
    for _ in range(2):
        source = small(rng)
        old, new = source.reference(rng), source.current(rng)
        names = (source.numbers[0], source.texts[0])
        if side == "current":
            pair = (old, _stuck(new, old, *names))
        else:
            pair = (_stuck(old, old, *names), new)
        assert_value(set(names) <= drifted(solution.drift_report(*pair)), True, what="drifted")


@pytest.mark.criterion("bins", sheet="stuck", hint=BINS)
@pytest.mark.parametrize("side", ["current", "reference"])
def test_values_in_a_small_part_of_the_range(solution, rng, side):
    """A number whose values lie close to its median in one of the windows is drift."""
    for _ in range(2):
        source = small(rng)
        old, new = source.reference(rng), source.current(rng)
        name = source.numbers[0]
        middle = float(old[name].median())
        if side == "current":
            new = _narrowed(new, name, middle)
        else:
            old = _narrowed(old, name, middle)
        assert_value(name in drifted(solution.drift_report(old, new)), True, what="drifted")


@pytest.mark.criterion("bins", sheet="stuck", hint=COUNTS)
def test_whole_numbers(solution, rng):
    """Small counts, most of them equal, are quiet where nothing changed; their drift is found."""
    pairs, alarms, names = 6, 0, ("n00", "n01", "n02")
    for _ in range(pairs):
        source = small(rng)
        old = _counted(source.reference(rng), rng, names, 1.0)
        quiet = _counted(source.current(rng), rng, names, 1.0)
        alarms += bool(drifted(solution.drift_report(old, quiet)))
    assert_seldom(alarms, pairs, 0.05, "reports with a false alarm")
    hits = Often(WINDOWS, 0.9)
    for _ in hits:
        found = drifted(solution.fresh().drift_report(old, _counted(quiet, rng, names[:1], 2.5)))
        hits.add(names[0] in found)
    hits.check("reports that find the drift")


def _counted(frame, rng, names, mean):
    """Whole numbers from 1 on, of type int64; the distance from a mean of 1 to 2.5 is 0.45."""
    return frame.assign(**{name: 1 + rng.poisson(mean, len(frame)) for name in names})


def _narrowed(frame, name, middle):
    return changed(frame, name, lambda column: middle + (column - middle) / 25)


@pytest.mark.criterion("bins", sheet="stuck", hint=OUTLIER)
def test_drift_beside_one_huge_value(solution, rng):
    """One value in each window that is a thousand times as large hides no drift."""
    hits = Often(WINDOWS, 0.9)
    for _ in hits:
        source = small(rng)
        name = source.numbers[0]
        old, new = source.reference(rng), moved(source.current(rng), source, name, 1.2)
        old, new = (
            replaced(frame, name, np.arange(len(frame)) == 9, 1000 * source.mean(name))
            for frame in (old, new)
        )
        hits.add(name in drifted(solution.drift_report(old, new)))
    hits.check("reports that find the drift")
