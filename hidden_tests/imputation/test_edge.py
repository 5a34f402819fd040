"""Unusual but valid frames, each decided by a row of the task sheet's table of conventions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from data import (
    FRACTIONS,
    NAN,
    NULLABLE_WHOLE,
    PLAIN_WHOLE,
    WITH_GAPS,
    assert_fills,
    assert_reports,
    cells,
    fitted,
    of_dtypes,
    probe_filled,
    probed,
    report_column,
    report_index,
)

from grader.judge.compare import assert_frame, assert_value
from grader.judge.errors import raises

INF = float("inf")
NUMERIC = "Which dtypes does the task sheet call numeric, and which not?"
VALUES = "Which values does the task sheet call missing, and which are ordinary?"
EMPTY = "Think of columns and frames that hold no value at all."
DTYPES = "Compare the dtypes before and after."
LABELS = "Row and column labels can be anything that pandas allows."
REFUSE = "The task sheet says which arguments are refused, and how."
REPORT = "Read the report's conventions again: order, empty frames, what is missing."
COLUMNS = "A frame to transform need not have the columns of the frame that was fitted."
PROTOCOL = "Compare the class with the protocol in the task sheet."


@pytest.mark.criterion("edge", hint=NUMERIC)
def test_flags_are_no_numbers(solution):
    """Boolean columns stay as they are, nullable ones with their gaps."""
    frame = probed(whole=[True, False, True], gaps=pd.array([True, None, True], dtype="boolean"))
    assert_frame(solution.impute(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=NUMERIC)
def test_durations_and_complex_numbers_are_kept(solution):
    """Missing durations and complex numbers stay missing."""
    frame = probed(
        took=pd.to_timedelta(["1h", None, "1h"]),
        signal=np.array([1 + 2j, complex(NAN, 0.0), 1 + 2j]),
    )
    assert_frame(solution.impute(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=NUMERIC)
def test_categories_and_zoned_dates_are_kept(solution):
    """Categories that happen to be numbers, and dates with a zone, stay as they are."""
    frame = probed(
        grade=pd.Categorical([3, None, 3], categories=[1, 3, 5], ordered=True),
        at=pd.to_datetime(["2024-03-01 10:00", None, "2024-03-01 10:00"]).tz_localize(
            "Europe/Berlin"
        ),
    )
    assert_frame(solution.impute(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=NUMERIC)
def test_numbers_in_text_or_object_columns_are_kept(solution):
    """Numeric text, and numbers in a column of dtype object, stay as they are."""
    frame = probed(
        text=pd.Series(["7", "8", "7"], dtype="str"),
        mixed=pd.Series([7, None, 7.0], dtype=object),
    )
    assert_frame(solution.impute(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=NUMERIC)
def test_transform_keeps_other_kinds(solution):
    """Flags, durations and categories stay as they are in transform too."""
    frame = probed(
        flag=pd.array([True, None, True], dtype="boolean"),
        took=pd.to_timedelta(["1h", None, "1h"]),
        grade=pd.Categorical([3, None, 3], categories=[1, 3, 5]),
    )
    assert_frame(fitted(solution, frame).transform(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=NUMERIC)
def test_every_numeric_dtype_is_filled(solution):
    """Each numeric dtype that can hold a gap is filled and kept, signed or not."""
    frame = of_dtypes(WITH_GAPS, [2, None, 6])
    expected = of_dtypes(WITH_GAPS, [2, 4, 6])
    assert_frame(solution.impute(frame), expected=expected, what="impute")
    assert_frame(fitted(solution, frame).transform(frame), expected=expected, what="transform")


@pytest.mark.criterion("edge", hint=VALUES)
def test_sentinels_are_ordinary_values(solution):
    """A documented sentinel is a number like any other here."""
    frame = pd.DataFrame({"x": [-999.0, 1.0, NAN, 1001.0], "n": [-999, -1, 0, 9999]})
    assert_frame(solution.impute(frame), expected=frame.assign(x=[-999.0, 1.0, 1.0, 1001.0]))


@pytest.mark.criterion("edge", hint=VALUES)
def test_infinity_is_an_ordinary_value(solution):
    """Infinite values are not missing: they stay, and they count for the median."""
    frame = pd.DataFrame({"x": [INF, 5.0, INF, NAN], "y": [-INF, 0.0, INF, 1.0]})
    assert_frame(solution.impute(frame), expected=frame.assign(x=[INF, 5.0, INF, INF]))


@pytest.mark.criterion("edge", hint=EMPTY)
def test_columns_without_any_value_stay(solution):
    """Numeric columns with nothing but gaps stay, with their dtype."""
    frame = probed(
        floats=[NAN, NAN, NAN],
        single=np.full(3, np.nan, dtype="float32"),
        whole=pd.array([None, None, None], dtype="Int64"),
    )
    assert_frame(solution.impute(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=DTYPES)
def test_whole_numbers_stay_whole(solution):
    """A nullable integer column whose median is whole keeps its dtype."""
    frame = probed(
        wide=pd.array([10, None, 30], dtype="Int64"), narrow=pd.array([4, 6, None], dtype="Int8")
    )
    expected = probe_filled(
        frame.assign(
            wide=pd.array([10, 20, 30], dtype="Int64"), narrow=pd.array([4, 6, 5], dtype="Int8")
        )
    )
    assert_frame(solution.impute(frame), expected=expected)


@pytest.mark.criterion("edge", hint=DTYPES)
def test_fractional_median_of_whole_numbers(solution):
    """A nullable integer column with a gap and a fractional median becomes Float64."""
    frame = probed(
        gap=pd.array([1, None, 2], dtype="Int64"), whole=pd.array([1, 2, 6], dtype="Int64")
    )
    expected = probe_filled(frame.assign(gap=pd.array([1.0, 1.5, 2.0], dtype="Float64")))
    assert_frame(solution.impute(frame), expected=expected)


@pytest.mark.criterion("edge", hint=DTYPES)
def test_fractional_medians_and_repeated_row_labels(solution):
    """Whole numbers with a gap become Float64 whatever the row labels are; complete ones stay."""
    complete = of_dtypes([*PLAIN_WHOLE, *NULLABLE_WHOLE], [1, 1, 1, 2, 2, 2]).add_prefix("full ")
    labels = pd.Index([7, 7, 8, 8, 7, 8])
    holes, filled = [1, None, 2, 1, 2, None], [1, 1.5, 2, 1, 2, 1.5]
    gappy = pd.concat([complete, of_dtypes(WITH_GAPS, holes)], axis=1).set_axis(labels, axis=0)
    due = {dtype: cells(filled, dtype if dtype in FRACTIONS else "Float64") for dtype in WITH_GAPS}
    expected = pd.concat([complete, pd.DataFrame(due)], axis=1).set_axis(labels, axis=0)
    assert_frame(solution.impute(gappy), expected=expected, what="impute")
    assert_frame(fitted(solution, gappy).transform(gappy), expected=expected, what="transform")


@pytest.mark.criterion("edge", hint=DTYPES)
def test_whole_numbers_near_the_end_of_their_dtype(solution):
    """The mean of two large whole numbers is between them, whatever their dtype can hold."""
    gappy, filled, learned = {}, {}, {}
    for plain, nullable in zip(PLAIN_WHOLE, NULLABLE_WHOLE, strict=True):
        top = min(int(np.iinfo(plain).max), 2**53 - 1)
        gappy[nullable] = cells([top - 8, None, top - 2], nullable)
        filled[nullable] = cells([top - 8, top - 5, top - 2], nullable)
        learned[nullable] = cells([top - 8, top - 2], plain)
    frame, expected = pd.DataFrame(gappy), pd.DataFrame(filled)
    assert_frame(solution.impute(frame), expected=expected, what="impute")
    imputer = fitted(solution, pd.DataFrame(learned))
    assert_frame(imputer.transform(frame), expected=expected, what="transform")


@pytest.mark.criterion("edge", hint=DTYPES)
def test_narrow_dtypes_are_kept(solution):
    """float32, nullable floats and small integers keep their dtype."""
    frame = probed(
        single=np.array([0.5, np.nan, 2.25], dtype="float32"),
        nullable=pd.array([0.5, None, 1.0], dtype="Float32"),
        double=pd.array([0.5, None, 1.0], dtype="Float64"),
        byte=np.array([1, 2, 3], dtype="int8"),
        port=np.array([80, 443, 65535], dtype="uint16"),
    )
    expected = probe_filled(
        frame.assign(
            single=np.array([0.5, 1.375, 2.25], dtype="float32"),
            nullable=pd.array([0.5, 0.75, 1.0], dtype="Float32"),
            double=pd.array([0.5, 0.75, 1.0], dtype="Float64"),
        )
    )
    assert_frame(solution.impute(frame), expected=expected, rtol=1e-6)


@pytest.mark.criterion("edge", hint=EMPTY)
def test_one_row(solution):
    """A single row comes back as it is; there is nothing to fill its gaps with."""
    frame = pd.DataFrame({"x": [5.0], "y": [NAN], "n": [1], "name": ["a"]})
    assert_frame(solution.impute(frame), expected=frame)
    assert_frame(fitted(solution, frame).transform(frame), expected=frame)
    assert_fills(solution)


@pytest.mark.criterion("edge", hint=EMPTY)
def test_no_rows_and_no_columns(solution):
    """Frames without rows, or without columns, come back as they are."""
    rowless = probed(n=[1, 2, 3], name=["a", "b", "c"]).iloc[:0]
    assert_frame(solution.impute(rowless), expected=rowless, what="a frame without rows")
    bare = pd.DataFrame(index=pd.Index(["p", "q"]))
    assert_frame(solution.impute(bare), expected=bare, what="a frame without columns")
    assert_fills(solution)


@pytest.mark.criterion("edge", hint=LABELS)
def test_row_labels_are_kept(solution):
    """Row labels stay, also repeated, unsorted and named ones."""
    frame = probed(name=["a", "b", "c"])
    frame.index = pd.Index([7, 3, 7], name="visit")
    expected = probe_filled(frame)
    assert_frame(solution.impute(frame), expected=expected, what="impute")
    moved = frame.set_axis(pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-03"]), axis=0)
    imputer = fitted(solution, frame)
    assert_frame(imputer.transform(moved), expected=probe_filled(moved), what="transform")


@pytest.mark.criterion("edge", hint=LABELS)
def test_column_labels_are_kept(solution):
    """Columns stay in their order, and their labels need not be text."""
    frame = pd.DataFrame(
        {"z": [1.0, NAN, 1.0], 0: ["a", "b", "c"], "a": [5, 5, 5], 10: [NAN, 3.0, 3.0]}
    )
    expected = frame.assign(z=[1.0, 1.0, 1.0])
    expected[10] = [3.0, 3.0, 3.0]
    assert_frame(solution.impute(frame), expected=expected)


@pytest.mark.criterion("edge", hint=LABELS)
def test_imputer_takes_any_column_labels(solution):
    """Text and numbers side by side are column labels for the imputer as well."""
    frame = pd.DataFrame({"z": [1.0, NAN, 1.0], 0: [5, 5, 5], 2.5: [NAN, 3.0, 3.0]})
    expected = frame.assign(z=[1.0, 1.0, 1.0])
    expected[2.5] = [3.0, 3.0, 3.0]
    assert_frame(fitted(solution, frame).transform(frame), expected=expected)


@pytest.mark.criterion("edge", hint=REFUSE)
def test_repeated_column_names_are_refused(solution):
    """Two columns of one name raise ValueError, wherever they come in."""
    assert_fills(solution)
    twice = pd.DataFrame([[1.0, 2.0], [NAN, 3.0]], columns=["x", "x"])
    imputer = fitted(solution, pd.DataFrame({"x": [1.0, NAN]}))
    with raises(ValueError):
        solution.impute(twice)
    with raises(ValueError):
        solution.missing_report(twice)
    with raises(ValueError):
        imputer.transform(twice)
    with raises(ValueError):
        imputer.fit(twice)
    with raises(ValueError):
        imputer.fit_transform(twice)


@pytest.mark.criterion("edge", hint=REFUSE)
def test_other_arguments_are_refused(solution):
    """What is no DataFrame raises TypeError."""
    column = [1.0, NAN, 3.0]
    assert_fills(solution)
    imputer = fitted(solution, pd.DataFrame({"x": column}))
    for argument in ([column], {"x": column}, pd.Series(column), np.array([column]), None):
        with raises(TypeError):
            solution.impute(argument)
        with raises(TypeError):
            solution.missing_report(argument)
        with raises(TypeError):
            imputer.transform(argument)
        with raises(TypeError):
            imputer.fit(argument)
        with raises(TypeError):
            imputer.fit_transform(argument)


@pytest.mark.criterion("edge", hint=REPORT)
def test_report_ties_keep_column_order(solution):
    """Columns with equally many gaps come in the frame's order."""
    labels = [f"c{(place * 7) % 23:02d}" for place in range(23)]
    frame = pd.DataFrame({label: [1.0, 2.0, 3.0] for label in labels})
    gappy = labels[3::4]
    frame.loc[1, gappy] = NAN
    rest = [label for label in labels if label not in gappy]
    order = report_index(solution.missing_report(frame))
    assert_value(sorted(map(str, order)), sorted(labels))
    for group in (gappy, rest):  # which of the two comes first is not this test's matter
        assert_value([label for label in order if label in group], group)


@pytest.mark.criterion("edge", hint=REPORT)
def test_report_of_no_rows_or_no_columns(solution):
    """Nothing of nothing is missing: 0 percent; a frame without columns gives no rows."""
    frame = pd.DataFrame({"x": [1.0], "name": ["a"], "n": [1]}).iloc[:0]
    report = solution.missing_report(frame)
    assert_value(report_index(report), ["x", "name", "n"])
    for name in ("n_missing", "pct_missing"):
        values = [float(value) for value in list(report_column(report, name))]
        assert_value(values, [0.0, 0.0, 0.0], what=name)
    empty = solution.missing_report(pd.DataFrame(index=[1, 2]))
    assert_value(len(report_index(empty)), 0)
    assert_value(sorted(map(str, list(empty.columns))), ["dtype", "n_missing", "pct_missing"])
    assert_reports(solution)


@pytest.mark.criterion("edge", hint=REPORT)
def test_report_knows_every_kind_of_missing(solution):
    """None, NaN, NaT and NA are missing; sentinels, infinity, blanks and zeros are not."""
    frame = pd.DataFrame(
        {
            "object": pd.Series([None, NAN, pd.NaT, pd.NA], dtype=object),
            "whole": pd.array([None, None, None, 1], dtype="Int64"),
            "took": pd.to_timedelta([None, None, "1h", "2h"]),
            "flag": pd.array([None, True, False, True], dtype="boolean"),
            "text": ["", " ", "n/a", "nan"],
            "float": [INF, -999.0, 0.0, -INF],
        }
    )
    counts = report_column(solution.missing_report(frame), "n_missing")
    due = {"object": 4, "whole": 3, "took": 2, "flag": 1, "text": 0, "float": 0}
    assert_value(
        dict(sorted(counts.to_dict().items())),
        dict(sorted(due.items())),
        numbers_interchangeable=True,
    )


@pytest.mark.criterion("edge", hint=PROTOCOL)
def test_transform_before_fit_is_refused(solution):
    """Transform before fit raises an error that tells to fit first."""
    assert_fills(solution)
    imputer = solution.keep.MedianImputer()
    with raises((ValueError, RuntimeError), match="(?i)fit"):
        imputer.transform(probed())


@pytest.mark.criterion("edge", hint=PROTOCOL)
def test_fit_returns_the_imputer(solution):
    """Fit returns the imputer, so that calls can be chained."""
    imputer = solution.keep.MedianImputer()
    chained = imputer.fit(probed())
    assert_frame(chained.transform(probed()), expected=probe_filled(probed()), what="chained")
    assert_frame(imputer.transform(probed()), expected=probe_filled(probed()), what="the imputer")


@pytest.mark.criterion("edge", hint=COLUMNS)
def test_columns_that_fit_never_saw_pass_through(solution):
    """Columns that were not in the fitted frame come back as they are."""
    imputer = fitted(solution, probed())
    frame = probed(new=[1.0, 2.0, 3.0], label=["a", "b", "c"])
    assert_frame(imputer.transform(frame), expected=probe_filled(frame))


@pytest.mark.criterion("edge", hint=COLUMNS)
def test_a_frame_without_numbers_can_be_fitted(solution):
    """Fit may find nothing to learn; transform then returns what it is given."""
    frame = pd.DataFrame({"x": [1.0, 2.0], "name": ["a", "b"]})
    for train in (frame[["name"]], frame.iloc[:0], pd.DataFrame(index=[1, 2])):
        result = fitted(solution, train).transform(frame)
        assert_frame(result, expected=frame, what="after a fit without numbers")
    assert_fills(solution)


@pytest.mark.criterion("edge", hint=COLUMNS)
def test_columns_may_be_absent_or_in_another_order(solution):
    """Medians go by name; transform keeps the columns that it is given, in their order."""
    imputer = fitted(
        solution, pd.DataFrame({"target": [1.0, 1.0], "y": [20.0, 20.0], "x": [3.0, 3.0]})
    )
    frame = pd.DataFrame({"x": [NAN, 3.0, 3.0], "y": [20.0, NAN, 20.0]})
    expected = pd.DataFrame({"x": [3.0, 3.0, 3.0], "y": [20.0, 20.0, 20.0]})
    assert_frame(imputer.transform(frame), expected=expected)


@pytest.mark.criterion("edge", hint=DTYPES)
def test_transform_keeps_dtypes(solution):
    """Transform follows the same rules on dtypes as impute, whatever dtype was fitted."""
    train = pd.DataFrame({"n": [1, 2], "single": [1.0, 2.0], "name": [4.0, 4.0]})
    imputer = fitted(solution, train)
    frame = pd.DataFrame(
        {
            "n": pd.array([0, None, 3], dtype="Int64"),
            "single": np.array([0.5, np.nan, 2.5], dtype="float32"),
            "name": pd.array([True, None, True], dtype="boolean"),
        }
    )
    expected = frame.assign(
        n=pd.array([0.0, 1.5, 3.0], dtype="Float64"),
        single=np.array([0.5, 1.5, 2.5], dtype="float32"),
    )
    assert_frame(imputer.transform(frame), expected=expected, rtol=1e-6)
