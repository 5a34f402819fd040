"""Everything that the task asks for is there and answers a plain question."""

from __future__ import annotations

import pytest
from data import REPORT_COLUMNS, assert_fills, fitted, probe_filled, probed, report_index

from grader.judge.compare import assert_frame, assert_value

HINT = "Run the sample tests: every function of the task sheet must exist and answer."


@pytest.mark.criterion("runs", hint=HINT)
def test_report_answers(solution):
    """missing_report returns a frame about the argument's columns, with the three columns."""
    report = solution.missing_report(probed())
    assert_value(report_index(report), ["probe"])
    assert_value(sorted(str(label) for label in list(report.columns)), sorted(REPORT_COLUMNS))


@pytest.mark.criterion("runs", hint=HINT)
def test_impute_answers(solution):
    """Impute fills a single gap between equal values."""
    assert_fills(solution)


@pytest.mark.criterion("runs", hint=HINT)
def test_imputer_answers(solution):
    """MedianImputer can be made without arguments, fitted, and asked to transform."""
    imputer = fitted(solution, probed())
    assert_frame(imputer.transform(probed()), expected=probe_filled(probed()))


@pytest.mark.criterion("runs", hint=HINT)
def test_imputer_fit_transform_answers(solution):
    """MedianImputer.fit_transform fills a single gap between equal values."""
    imputer = solution.keep.MedianImputer()
    assert_frame(imputer.fit_transform(probed()), expected=probe_filled(probed()))
