"""What most frames need: counts, percentages, order, and the right median in the right place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import reference
from data import (
    NAN,
    REPORT_COLUMNS,
    assert_cells,
    export,
    fitted,
    frames,
    probe_filled,
    probed,
    report_column,
    report_index,
)
from hypothesis import given, settings

from grader.judge.compare import assert_series, assert_value

COUNTS = "Check what missing_report counts, on a frame small enough to count by hand."
SHAPE = "Compare the report with the table in the task sheet: columns, their order, their dtypes."
ORDER = "Which row of the report should come first?"
FILL = "Check the filled values by hand on a small, skewed column."
REST = "What should happen to columns that are not numeric, and to cells that are not missing?"
LEARN = "Check what fit_transform fills in, against impute on the same frame."


def _four() -> pd.DataFrame:
    """Columns with 3, 2, 1 and 0 of 6 cells missing, already in the report's order."""
    return pd.DataFrame(
        {
            "c3": [NAN, 1.0, NAN, 2.0, NAN, 3.0],
            "c2": ["x", None, "y", "z", None, "x"],
            "c1": pd.to_datetime(["2024-01-01", None, *["2024-01-02"] * 4]),
            "c0": [1, 2, 3, 4, 5, 6],
        }
    )


@pytest.mark.criterion("core", hint=COUNTS)
def test_report_counts_missing_cells(solution):
    """n_missing is the number of missing cells of each column."""
    counts = report_column(solution.missing_report(_four()), "n_missing")
    assert_value(
        dict(sorted(counts.to_dict().items())),
        {"c0": 0, "c1": 1, "c2": 2, "c3": 3},
        numbers_interchangeable=True,
    )


@pytest.mark.criterion("core", hint="Read the task sheet on the unit of pct_missing, and rounding.")
def test_report_percentages(solution):
    """pct_missing is a percentage from 0 to 100, not rounded."""
    shares = report_column(solution.missing_report(_four()), "pct_missing")
    assert_value(
        dict(sorted(shares.to_dict().items())),
        {"c0": 0.0, "c1": 100.0 / 6, "c2": 100.0 / 3, "c3": 50.0},
        rtol=1e-9,
        numbers_interchangeable=True,
    )


@pytest.mark.criterion("core", hint=SHAPE)
def test_report_names_dtypes(solution):
    """The column dtype says each column's dtype, as an object or by its name."""
    frame = _four().assign(
        flag=True, small=np.arange(6, dtype="int8"), kind=pd.Categorical(list("aabbaa"))
    )
    dtypes = report_column(solution.missing_report(frame), "dtype")
    named = {str(label): str(dtype) for label, dtype in dtypes.to_dict().items()}
    assert_value(named, {label: str(dtype) for label, dtype in frame.dtypes.items()})


@pytest.mark.criterion("core", hint=ORDER)
def test_report_puts_most_missing_first(solution):
    """Rows are sorted by the number of missing cells, most first."""
    frame = _four()[["c1", "c3", "c0", "c2"]]
    assert_value(report_index(solution.missing_report(frame)), ["c3", "c2", "c1", "c0"])


@pytest.mark.criterion("core", hint=ORDER)
def test_report_orders_long_columns_by_their_counts(solution, rng):
    """One missing cell more is enough to come first, however many rows there are."""
    counts = [int(count) for count in rng.permutation(range(6, 14))]
    column = np.zeros(4000)
    frame = pd.DataFrame(
        {f"c{count:02d}": np.where(np.arange(4000) < count, NAN, column) for count in counts}
    )
    due = [f"c{count:02d}" for count in sorted(counts, reverse=True)]
    assert_value(report_index(solution.missing_report(frame)), due)


@pytest.mark.criterion("core", hint=SHAPE)
def test_report_has_three_typed_columns(solution):
    """The report has exactly n_missing (whole numbers), pct_missing (floats) and dtype."""
    report = solution.missing_report(_four())
    assert_value(sorted(report_index(report)), ["c0", "c1", "c2", "c3"])
    assert_value([str(label) for label in list(report.columns)], REPORT_COLUMNS)
    kinds = {name: report_column(report, name).dtype.kind for name in REPORT_COLUMNS[:2]}
    assert_value(kinds, {"n_missing": "i", "pct_missing": "f"})


@pytest.mark.criterion("core", hint=FILL)
def test_fills_with_the_middle_of_an_odd_number_of_values(solution):
    """A gap gets the middle value, not the mean, the mode or a neighbour."""
    frame = pd.DataFrame({"x": [1.0, 1.0, NAN, 4.0, 9.0, 100.0, NAN]})
    expected = pd.DataFrame({"x": [1.0, 1.0, 4.0, 4.0, 9.0, 100.0, 4.0]})
    assert_cells(solution.impute(frame), expected)


@pytest.mark.criterion("core", hint=FILL)
def test_fills_with_the_centre_of_an_even_number_of_values(solution):
    """With an even number of values the median lies half-way between the middle two."""
    frame = pd.DataFrame({"x": [100.0, NAN, 1.0, 2.0, 7.0]})
    assert_cells(solution.impute(frame), pd.DataFrame({"x": [100.0, 4.5, 1.0, 2.0, 7.0]}))


@pytest.mark.criterion("core", hint=FILL)
def test_each_column_has_its_own_median(solution):
    """Columns do not share a median."""
    frame = pd.DataFrame(
        {"x": [1.0, 2.0, 6.0, NAN], "y": [NAN, 70.0, 10.0, 20.0], "z": [5.0, NAN, NAN, NAN]}
    )
    expected = pd.DataFrame(
        {"x": [1.0, 2.0, 6.0, 2.0], "y": [20.0, 70.0, 10.0, 20.0], "z": [5.0] * 4}
    )
    assert_cells(solution.impute(frame), expected)


@pytest.mark.criterion("core", hint=REST)
def test_everything_else_stays_as_it_is(solution):
    """Missing text and dates stay missing, complete columns keep values and dtype."""
    frame = probed(
        count=[3, 1, 2],
        price=[1.5, 0.0, -2.25],
        name=["ann", None, "  bob "],
        day=pd.to_datetime(["2024-05-01", None, "2024-05-03"]),
    )
    assert_cells(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("core", hint=FILL)
def test_fills_an_export(solution, rng):
    """An export of mixed columns comes back with its numeric gaps filled."""
    frame = export(rng)
    assert_cells(solution.impute(frame), reference.impute(frame))


@pytest.mark.criterion("core", hint=FILL)
def test_fills_long_columns(solution, rng):
    """Thousands of rows are filled with the median like a few, also by the imputer."""
    values = rng.gamma(1.5, 40.0, size=(12_000, 2))  # skewed: the mean is far from the median
    values[rng.random(values.shape) < 0.1] = NAN
    frame = pd.DataFrame(values, columns=["x", "y"])
    expected = reference.impute(frame)
    assert_cells(solution.impute(frame), expected, "impute")
    assert_cells(fitted(solution, frame).transform(frame), expected, "transform")


@pytest.mark.criterion("core", hint=FILL)
@settings(max_examples=12)
@given(frames())
def test_fills_any_frame(solution, frame):
    """Whatever the values are, the gaps get the medians."""
    assert_cells(solution.impute(frame), reference.impute(frame))


@pytest.mark.criterion("core", hint=COUNTS)
@settings(max_examples=12)
@given(frames())
def test_reports_any_frame(solution, frame):
    """Counts agree on every frame."""
    expected = reference.missing_report(frame)["n_missing"].sort_index()
    counts = report_column(solution.missing_report(frame), "n_missing")
    assert_value(sorted(map(str, list(counts.index))), sorted(map(str, list(frame.columns))))
    assert_series(counts.sort_index(), expected=expected, check_names=False, equivalent_dtypes=True)


@pytest.mark.criterion("core", hint=LEARN)
def test_imputer_fills_what_it_was_fitted_on(solution, rng):
    """fit_transform gives what impute gives."""
    frame = export(rng, rows=60)
    imputer = solution.keep.MedianImputer()
    assert_cells(imputer.fit_transform(frame), reference.impute(frame))


@pytest.mark.criterion("core", hint=LEARN)
def test_imputer_learns_in_fit_and_fills_in_transform(solution):
    """Fit and then transform of the same frame fill its own medians."""
    frame = pd.DataFrame({"x": [1.0, 2.0, 60.0, NAN], "name": ["a", None, "c", "d"]})
    expected = pd.DataFrame({"x": [1.0, 2.0, 60.0, 2.0], "name": ["a", None, "c", "d"]})
    assert_cells(fitted(solution, frame).transform(frame), expected)


@pytest.mark.criterion("core", hint=REST)
def test_transform_leaves_text_and_dates_as_they_are(solution):
    """Missing text and dates stay missing in transform and fit_transform as in impute."""
    frame = probed(
        name=["ann", None, "  bob "], day=pd.to_datetime(["2024-05-01", None, "2024-05-03"])
    )
    assert_cells(fitted(solution, frame).transform(frame), probe_filled(frame), "transform")
    imputer = solution.keep.MedianImputer()
    assert_cells(imputer.fit_transform(frame), probe_filled(frame), "fit_transform")
