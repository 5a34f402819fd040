"""Everything that the task asks for is there and answers a plain question."""

from __future__ import annotations

import pytest
from data import (
    REPORT_COLUMNS,
    assert_cells,
    assert_fills,
    fitted,
    probe_filled,
    probed,
    report_index,
)

from grader.judge.compare import assert_value

HINT = "Run the sample tests: every function of the task sheet must exist and answer."


@pytest.mark.criterion("runs", sheet="report", hint=HINT)
def test_report_answers(solution, rng):
    """missing_report returns a frame about the argument's columns, with the three columns."""
    report = solution.missing_report(probed(rng))
    assert_value(report_index(report), ["probe"])
    assert_value(sorted(str(label) for label in list(report.columns)), sorted(REPORT_COLUMNS))


@pytest.mark.criterion("runs", sheet="median", hint=HINT)
def test_impute_answers(solution, rng):
    """Impute fills a single gap between equal values."""
    assert_fills(solution, rng)


@pytest.mark.criterion("runs", sheet="median", hint=HINT)
def test_imputer_answers(solution, rng):
    """MedianImputer can be made without arguments and offers fit, transform and fit_transform."""
    frame = probed(rng)
    assert_cells(fitted(solution, frame).transform(frame), probe_filled(frame))
    other = solution.keep.MedianImputer()
    assert_cells(other.fit_transform(frame), probe_filled(frame))
