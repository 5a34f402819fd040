"""What most frames need: counts, percentages, order, and the right median in the right place."""

from __future__ import annotations

import itertools
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
import reference
from data import (
    NAN,
    NULLABLE_WHOLE,
    REPORT_COLUMNS,
    assert_cells,
    assert_fills,
    assert_numbers,
    assert_probe,
    assert_same_report,
    cells,
    crowded,
    export,
    fitted,
    frames,
    number,
    probe_filled,
    probed,
    report_column,
    report_index,
)
from hypothesis import given, settings

from grader.judge.compare import assert_frame, assert_series, assert_value
from grader.judge.errors import CandidateError

COUNTS = "Check what missing_report counts, on a frame small enough to count by hand."
SHAPE = "Compare the report with the table in the task sheet: columns, their order, their dtypes."
ORDER = "Which row of the report should come first?"
FILL = "Check the filled values by hand on a small, skewed column."
REST = "What should happen to columns that are not numeric, and to cells that are not missing?"
LABELS = "Compare the row labels and the columns of the result with those of the argument."
LEARN = "Check what fit_transform fills in, against impute on the same frame."
INPUT = "Look at the argument after the call."
NAMES = "What tells which median is for which column?"

# Numbers of examples: no two frames have the same columns, so that what an earlier call left behind
# (another criterion) does not answer for a later one.
EXAMPLES = itertools.count()


def _counted(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, int]]:
    """Four columns of several kinds, and how many cells are missing in each: no two alike."""
    rows = int(rng.choice([7, 11, 13]))  # no share of these is a round percentage
    few, some, most = (int(count) for count in np.sort(rng.permutation(range(1, 7))[:3]))
    text = np.array(["x", "y", "z"], dtype=object)[rng.integers(0, 3, size=rows)]
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=rows),
            "text": text,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(rows), unit="D"),
            "whole": rng.integers(0, 9, size=rows),
        }
    )
    counts = {"number": most, "text": some, "day": few, "whole": 0}
    for label, count in counts.items():
        if count:
            frame.loc[rng.permutation(rows)[:count], label] = None
    return frame, counts


@pytest.mark.criterion("core", sheet="report", hint=COUNTS)
def test_report_counts_missing_cells(solution, rng):
    """n_missing is the number of missing cells of each column."""
    frame, due = _counted(rng)
    counts = report_column(solution.missing_report(frame), "n_missing").to_dict()
    assert_value(
        dict(sorted(counts.items())), dict(sorted(due.items())), numbers_interchangeable=True
    )


@pytest.mark.criterion(
    "core", sheet="percent", hint="Read the task sheet on the unit of pct_missing, and rounding."
)
def test_report_percentages(solution, rng):
    """pct_missing is a percentage from 0 to 100, not rounded."""
    frame, due = _counted(rng)
    shares = report_column(solution.missing_report(frame), "pct_missing").to_dict()
    assert_value(
        dict(sorted(shares.items())),
        {label: 100.0 * count / len(frame) for label, count in sorted(due.items())},
        rtol=1e-9,
        numbers_interchangeable=True,
    )


@pytest.mark.criterion("core", sheet="report", hint=SHAPE)
def test_report_names_dtypes(solution, rng):
    """The column dtype says each column's dtype, as an object or by its name."""
    frame, _ = _counted(rng)
    frame = frame.assign(
        flag=True,
        small=np.arange(len(frame), dtype="int8"),
        kind=pd.Categorical(rng.choice(["a", "b"], size=len(frame))),
    )
    frame = frame[list(rng.permutation(list(frame.columns)))]
    dtypes = report_column(solution.missing_report(frame), "dtype")
    named = {str(label): str(dtype) for label, dtype in dtypes.to_dict().items()}
    assert_value(named, {label: str(dtype) for label, dtype in frame.dtypes.items()})


@pytest.mark.criterion("core", sheet="most-first", hint=ORDER)
def test_report_puts_most_missing_first(solution, rng):
    """Rows are sorted by the number of missing cells, most first."""
    frame, due = _counted(rng)
    order = ["day", "number", "whole", "text"]  # neither sorted nor the reverse
    report = solution.missing_report(frame[order])
    assert_value(report_index(report), sorted(due, key=due.__getitem__, reverse=True))


@pytest.mark.criterion("core", sheet="most-first", hint=ORDER)
def test_report_orders_long_columns_by_their_counts(solution, rng):
    """One missing cell more is enough to come first, however many rows there are."""
    counts = [int(count) for count in rng.permutation(range(6, 14))]
    column = np.zeros(4000)
    frame = pd.DataFrame(
        {f"c{count:02d}": np.where(np.arange(4000) < count, NAN, column) for count in counts}
    )
    due = [f"c{count:02d}" for count in sorted(counts, reverse=True)]
    assert_value(report_index(solution.missing_report(frame)), due)


@pytest.mark.criterion("core", sheet="report", hint=SHAPE)
def test_report_has_three_typed_columns(solution, rng):
    """The report has exactly n_missing (whole numbers), pct_missing (floats) and dtype."""
    frame, due = _counted(rng)
    report = solution.missing_report(frame)
    assert_value(sorted(report_index(report)), sorted(due))
    assert_value([str(label) for label in list(report.columns)], REPORT_COLUMNS)
    kinds = {name: report_column(report, name).dtype.kind for name in REPORT_COLUMNS[:2]}
    assert_value(kinds, {"n_missing": "i", "pct_missing": "f"})


@pytest.mark.criterion("core", sheet="report", hint=COUNTS)
@settings(max_examples=12)
@given(frames())
def test_reports_any_frame(solution, frame):
    """Counts agree on every frame."""
    expected = reference.missing_report(frame)["n_missing"].sort_index()
    counts = report_column(solution.missing_report(frame), "n_missing")
    assert_value(sorted(map(str, list(counts.index))), sorted(map(str, list(frame.columns))))
    assert_series(counts.sort_index(), expected=expected, check_names=False, equivalent_dtypes=True)


@pytest.mark.criterion("core", sheet="median", hint=FILL)
def test_fills_with_the_middle_of_an_odd_number_of_values(solution, rng):
    """A gap gets the middle value, not the mean, the mode or a neighbour."""
    low, middle, top = number(rng, 1, 5), number(rng, 6, 10), number(rng, 90, 200)
    values = [low, low, middle, middle + 5.0, top]
    values = [float(value) for value in rng.permutation(values)]
    column = [values[0], NAN, *values[1:], NAN]
    filled = [values[0], middle, *values[1:], middle]
    assert_cells(solution.impute(pd.DataFrame({"x": column})), pd.DataFrame({"x": filled}))


@pytest.mark.criterion("core", sheet="median", hint=FILL)
def test_fills_with_the_centre_of_an_even_number_of_values(solution, rng):
    """With an even number of values the median lies half-way between the middle two."""
    low, top = number(rng, 1, 5), number(rng, 90, 200)
    left, right = number(rng, 6, 10), 2 * number(rng, 6, 10) + 0.5
    values = [float(value) for value in rng.permutation([low, left, right, top])]
    due = (left + right) / 2
    frame = pd.DataFrame({"x": [values[0], NAN, *values[1:]]})
    assert_cells(solution.impute(frame), pd.DataFrame({"x": [values[0], due, *values[1:]]}))


@pytest.mark.criterion("core", sheet="median", hint=FILL)
def test_each_column_has_its_own_median(solution, rng):
    """Columns do not share a median."""
    x, y, z = number(rng, 1, 10), number(rng, 20, 30), number(rng, 40, 50)
    frame = pd.DataFrame(
        {"x": [x - 1, x, x + 4, NAN], "y": [NAN, y + 50, y - 10, y], "z": [z, NAN, NAN, NAN]}
    )
    expected = pd.DataFrame({"x": [x - 1, x, x + 4, x], "y": [y, y + 50, y - 10, y], "z": [z] * 4})
    assert_cells(solution.impute(frame), expected)


@pytest.mark.criterion("core", sheet="median", hint=FILL)
def test_fills_an_export(solution, rng):
    """The numeric columns of an export are filled."""
    frame = export(rng)
    assert_numbers(solution.impute(frame), reference.impute(frame))


@pytest.mark.criterion("core", sheet="median", hint=FILL)
def test_fills_long_columns(solution, rng):
    """Thousands of rows are filled with the median like a few, also by the imputer."""
    values = rng.gamma(1.5, 40.0, size=(12_000, 2))  # skewed: the mean is far from the median
    values[rng.random(values.shape) < 0.1] = NAN
    frame = pd.DataFrame(values, columns=["x", "y"])
    expected = reference.impute(frame)
    assert_cells(solution.impute(frame), expected, "impute")
    assert_cells(fitted(solution, frame).transform(frame), expected, "transform")


@pytest.mark.criterion("core", sheet="median", hint=FILL)
@settings(max_examples=12)
@given(frames())
def test_fills_any_frame(solution, frame):
    """Whatever the values are, the gaps get the medians."""
    frame = frame.assign(**{f"example {next(EXAMPLES)}": 0})
    assert_numbers(solution.impute(frame), reference.impute(frame))


@pytest.mark.criterion("core", sheet="median", hint=LEARN)
def test_imputer_fills_what_it_was_fitted_on(solution, rng):
    """fit_transform gives what impute gives."""
    frame = export(rng, rows=60)
    imputer = solution.keep.MedianImputer()
    assert_numbers(imputer.fit_transform(frame), reference.impute(frame))


@pytest.mark.criterion("core", sheet="median", hint=LEARN)
def test_imputer_learns_in_fit_and_fills_in_transform(solution, rng):
    """Fit and then transform of the same frame fill its own medians."""
    x = number(rng, 2, 20)
    frame = pd.DataFrame({"x": [x - 1, x, x + 58, NAN], "name": ["a", "b", "c", "d"]})
    assert_cells(fitted(solution, frame).transform(frame), frame.fillna({"x": x}))


@pytest.mark.criterion("core", sheet="rest-stays", hint=REST)
def test_everything_else_stays_as_it_is(solution, rng):
    """Missing text and dates stay missing, complete columns keep their values."""
    frame = probed(
        rng,
        count=rng.integers(0, 9, size=3),
        price=rng.normal(size=3),
        name=["ann", None, "  bob "],
        day=pd.to_datetime(["2024-05-01", None, "2024-05-03"]),
    )
    assert_cells(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("core", sheet="rest-stays", hint=REST)
def test_transform_leaves_text_and_dates_as_they_are(solution, rng):
    """Missing text and dates stay missing in transform and fit_transform as in impute."""
    frame = probed(
        rng, name=["ann", None, "  bob "], day=pd.to_datetime(["2024-05-01", None, "2024-05-03"])
    )
    assert_cells(fitted(solution, frame).transform(frame), probe_filled(frame), "transform")
    imputer = solution.keep.MedianImputer()
    assert_cells(imputer.fit_transform(frame), probe_filled(frame), "fit_transform")


def _assert_labelled(actual: object, expected: pd.DataFrame, what: str) -> None:
    """Hold that cells and labels are right, and their order; names of indexes do not matter."""
    assert_frame(actual, expected=expected, check_dtype=False, check_names=False, what=what)


@pytest.mark.criterion("core", sheet="rest-stays", hint=LABELS)
def test_row_labels_are_kept(solution, rng):
    """Row labels and their order stay: numbers, and days."""
    frame = probed(rng, name=["a", "b", "c"])
    frame.index = pd.Index(rng.permutation(range(10, 90))[:3])
    days = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.permutation(60)[:3], unit="D")
    moved = frame.set_axis(days, axis=0)
    _assert_labelled(solution.impute(frame), probe_filled(frame), "impute")
    _assert_labelled(fitted(solution, frame).transform(moved), probe_filled(moved), "transform")


@pytest.mark.criterion("core", sheet="rest-stays", hint=LABELS)
def test_the_order_of_columns_is_kept(solution, rng):
    """Columns stay in their order, numeric or not, filled or not."""
    full = [number(rng), number(rng), number(rng)]
    frame = probed(rng, z=["a", None, "b"], whole=[1, 2, 3], b=["c", "d", "e"], a=full)
    frame = frame[["z", "whole", "probe", "b", "a"]]
    _assert_labelled(solution.impute(frame), probe_filled(frame), "impute")
    _assert_labelled(fitted(solution, frame).transform(frame), probe_filled(frame), "transform")


@pytest.mark.criterion("core", sheet="by-name", hint=NAMES)
def test_medians_go_by_name(solution, rng):
    """A frame whose columns come in another order is filled by their names."""
    x, y = number(rng, 1, 40), number(rng, 60, 99)
    imputer = fitted(solution, pd.DataFrame({"name": ["a", "b"], "y": [y, y], "x": [x, x]}))
    frame = pd.DataFrame({"x": [NAN, x, x], "y": [y, NAN, y], "name": ["c", "d", "e"]})
    assert_cells(imputer.transform(frame), frame.fillna({"x": x, "y": y}))


def _mixed(rng: np.random.Generator) -> pd.DataFrame:
    low = int(number(rng))
    whole = pd.array([low, None, low], dtype="Int64")
    return probed(rng, n=whole, name=[" a ", "b", "c"])


def _mixed_filled(frame: pd.DataFrame) -> pd.DataFrame:
    return probe_filled(frame.assign(n=frame["n"].fillna(int(frame["n"].min()))))


@pytest.mark.criterion("core", sheet="argument", hint=INPUT)
def test_impute_leaves_its_argument_alone(solution, rng):
    """The frame given to impute is the same afterwards."""
    here = _mixed(rng)
    frame = solution.make(here)
    assert_cells(solution.impute(frame), _mixed_filled(here))
    assert_frame(frame.copy(), expected=here, what="the argument afterwards")
    assert_same_report(solution, frame, here, "the argument afterwards")


@pytest.mark.criterion("core", sheet="argument", hint=INPUT)
def test_report_leaves_its_argument_alone(solution, rng):
    """The frame given to missing_report is the same afterwards."""
    here = _mixed(rng)
    frame = solution.make(here)
    counts = report_column(solution.missing_report(frame), "n_missing").to_dict()
    due = {"n": 1, "name": 0, "probe": 1}
    assert_value(dict(sorted(counts.items())), due, numbers_interchangeable=True)
    assert_frame(frame.copy(), expected=here, what="the argument afterwards")
    assert_same_report(solution, frame, here, "the argument afterwards")


@pytest.mark.criterion("core", sheet="argument", hint=INPUT)
def test_imputer_leaves_its_arguments_alone(solution, rng):
    """The frames given to fit, transform and fit_transform are the same afterwards."""
    here = _mixed(rng)
    due = _mixed_filled(here)
    train, test = solution.make(here), solution.make(here)
    imputer = solution.keep.MedianImputer()
    imputer.fit(train)
    assert_cells(imputer.transform(test), due, "transform")
    assert_frame(train.copy(), expected=here, what="fit's argument afterwards")
    assert_same_report(solution, train, here, "fit's argument afterwards")
    assert_frame(test.copy(), expected=here, what="transform's argument afterwards")
    assert_same_report(solution, test, here, "transform's argument afterwards")
    assert_cells(imputer.fit_transform(train), due, "fit_transform")
    assert_frame(train.copy(), expected=here, what="fit_transform's argument afterwards")
    assert_same_report(solution, train, here, "fit_transform's argument afterwards")


@pytest.mark.criterion("core", sheet="argument", hint=INPUT)
def test_no_dtype_is_changed_in_place(solution, rng):
    """Columns of every numeric dtype are as they were, complete or not, after every function."""
    here = crowded(rng)
    frame = solution.make(here)
    report_column(solution.missing_report(frame), "n_missing")
    assert_frame(frame.copy(), expected=here, what="missing_report's argument afterwards")
    assert_same_report(solution, frame, here, "missing_report's argument afterwards")
    assert_probe(solution.impute(frame), here)
    assert_frame(frame.copy(), expected=here, what="impute's argument afterwards")
    assert_same_report(solution, frame, here, "impute's argument afterwards")
    imputer = fitted(solution, frame)
    assert_frame(frame.copy(), expected=here, what="fit's argument afterwards")
    assert_same_report(solution, frame, here, "fit's argument afterwards")
    assert_probe(imputer.transform(frame), here)
    assert_frame(frame.copy(), expected=here, what="transform's argument afterwards")
    assert_same_report(solution, frame, here, "transform's argument afterwards")


@pytest.mark.criterion("core", sheet="argument", hint=INPUT)
@pytest.mark.parametrize("call", ["impute", "transform", "fit_transform"])
def test_a_fractional_median_changes_no_argument(solution, rng, call):
    """Whole numbers that get a fractional median keep their dtype in the argument.

    What the call answers, or that it refuses, is an edge test's matter.
    """
    assert_fills(solution, rng)
    low = int(number(rng))
    whole = {dtype: cells([low, None, low + 1], dtype) for dtype in NULLABLE_WHOLE}
    here = pd.DataFrame(whole)
    frame = solution.make(here)
    with suppress(CandidateError):
        if call == "impute":
            solution.impute(frame)
        elif call == "transform":
            fitted(solution, here).transform(frame)
        else:
            solution.keep.MedianImputer().fit_transform(frame)
    assert_frame(frame.copy(), expected=here, what=f"the argument of {call} afterwards")
    assert_same_report(solution, frame, here, f"the argument of {call} afterwards")
