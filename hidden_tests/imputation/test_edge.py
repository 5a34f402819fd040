"""Unusual but valid frames: what makes code that is correct handle edge cases.

Row labels, the order of columns and changed arguments are lines of the first table, so these tests
look at cells and, where they are the point, at dtypes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from data import (
    FRACTIONS,
    NAN,
    NULLABLE_WHOLE,
    PLAIN_WHOLE,
    REPORT_COLUMNS,
    WITH_GAPS,
    assert_cells,
    assert_fills,
    assert_reports,
    assert_same_report,
    assert_typed,
    cells,
    fitted,
    number,
    of_dtypes,
    probe_filled,
    probed,
    report_column,
    report_index,
)

from grader.judge.compare import assert_frame, assert_value
from grader.judge.errors import CandidateError, raises

INF = float("inf")
NUMERIC = "Which dtypes does the task sheet call numeric, and which not?"
VALUES = "Which values does the task sheet call missing, and which are ordinary?"
EMPTY = "Think of columns and frames that hold no value at all, and of a single row."
DTYPES = "Compare the dtypes before and after."
LABELS = "Row and column labels can be anything that pandas allows."
REFUSE = "The task sheet says which arguments are refused, and how."
REPORT = "In which order does the report show columns that are alike?"
COLUMNS = "A frame to transform need not have the columns of the frame that was fitted."
PROTOCOL = "Compare the class with the protocol in the task sheet."
RESULT = "Change the result, and look at the argument and at what the imputer does next."


@pytest.mark.criterion("edge", sheet="no-numbers", hint=NUMERIC)
def test_flags_are_no_numbers(solution, rng):
    """Boolean columns stay as they are, nullable ones with their gaps."""
    flag = bool(rng.integers(2))
    frame = probed(
        rng, whole=[flag, not flag, flag], gaps=pd.array([flag, None, flag], dtype="boolean")
    )
    assert_typed(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="no-numbers", hint=NUMERIC)
def test_durations_are_kept(solution, rng):
    """Missing durations stay missing."""
    hours = f"{int(number(rng, 1, 20))}h"
    frame = probed(rng, took=pd.to_timedelta([hours, None, hours]))
    assert_typed(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="no-numbers", hint=NUMERIC)
def test_categories_and_zoned_dates_are_kept(solution, rng):
    """Categories that happen to be numbers, and dates with a zone, stay as they are."""
    frame = probed(
        rng,
        grade=pd.Categorical([3, None, 3], categories=[1, 3, 5], ordered=True),
        at=pd.to_datetime(["2024-03-01 10:00", None, "2024-03-01 10:00"]).tz_localize(
            "Europe/Berlin"
        ),
    )
    assert_typed(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="no-numbers", hint=NUMERIC)
def test_numbers_in_text_or_object_columns_are_kept(solution, rng):
    """Numeric text, and numbers in a column of dtype object, stay as they are."""
    value = int(number(rng))
    frame = probed(
        rng,
        text=pd.Series([str(value)] * 3, dtype="str"),
        mixed=pd.Series([value, None, float(value)], dtype=object),
    )
    assert_typed(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="no-numbers", hint=NUMERIC)
def test_transform_keeps_other_kinds(solution):
    """Flags, durations and categories stay as they are in transform too."""
    frame = pd.DataFrame(
        {
            "flag": pd.array([True, None, True], dtype="boolean"),
            "took": pd.to_timedelta(["1h", None, "1h"]),
            "grade": pd.Categorical([3, None, 3], categories=[1, 3, 5]),
            "probe": [2.0, NAN, 2.0],
        }
    )
    assert_typed(fitted(solution, frame).transform(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="no-numbers", hint=NUMERIC)
def test_columns_that_are_no_numbers_any_more_are_kept(solution, rng):
    """A column of numbers in training that is none in transform stays as it is."""
    train = pd.DataFrame({"flag": [number(rng)] * 2, "grade": [3, 3]})
    frame = probed(
        rng,
        flag=pd.array([True, None, True], dtype="boolean"),
        grade=pd.Categorical([3, None, 5], categories=[1, 3, 5]),
    )
    imputer = fitted(solution, train.assign(probe=frame["probe"].max()))
    assert_typed(imputer.transform(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="dtypes-stay", hint=NUMERIC)
def test_every_numeric_dtype_is_filled(solution, rng):
    """Each numeric dtype that can hold a gap is filled and kept, signed or not."""
    low, step = int(number(rng, 1, 30)), int(number(rng, 1, 15))  # twice the median fits int8
    frame = of_dtypes(WITH_GAPS, [low, None, low + 2 * step, low + step])
    expected = of_dtypes(WITH_GAPS, [low, low + step, low + 2 * step, low + step])
    assert_typed(solution.impute(frame), expected, "impute")
    assert_typed(fitted(solution, frame).transform(frame), expected, "transform")


@pytest.mark.criterion("edge", sheet="dtypes-stay", hint=DTYPES)
def test_sums_near_the_end_of_a_dtype(solution, rng):
    """The mean of two large whole numbers is between them, whatever their dtype can hold."""
    left, right = (2 * int(number(rng, 1, 6)) for _ in range(2))
    gappy, filled, learned = {}, {}, {}
    for plain, nullable in zip(PLAIN_WHOLE, NULLABLE_WHOLE, strict=True):
        top = min(int(np.iinfo(plain).max), 2**53 - 1)
        middle = top - (left + right) // 2
        gappy[nullable] = cells([top - left, None, top - right], nullable)
        filled[nullable] = cells([top - left, middle, top - right], nullable)
        learned[nullable] = cells([top - left, top - right], plain)
    frame, expected = pd.DataFrame(gappy), pd.DataFrame(filled)
    assert_typed(solution.impute(frame), expected, "impute")
    imputer = fitted(solution, pd.DataFrame(learned))
    assert_typed(imputer.transform(frame), expected, "transform")


@pytest.mark.criterion("edge", sheet="dtypes-stay", hint=DTYPES)
def test_narrow_dtypes_are_kept(solution, rng):
    """float32, nullable floats and small integers keep their dtype."""
    low = number(rng) / 4
    frame = probed(
        rng,
        single=np.array([low, np.nan, low], dtype="float32"),
        nullable=pd.array([low, None, low], dtype="Float32"),
        double=pd.array([low, None, low], dtype="Float64"),
        byte=np.array([1, 2, 3], dtype="int8"),
        port=np.array([80, 443, 65535], dtype="uint16"),
    )
    gappy = {name: frame[name].dtype.type(low) for name in ("single", "nullable", "double")}
    assert_typed(solution.impute(frame), probe_filled(frame.fillna(gappy)))


@pytest.mark.criterion("edge", sheet="dtypes-stay", hint=DTYPES)
def test_transform_keeps_the_dtype_of_its_argument(solution, rng):
    """A median that float32 cannot hold exactly makes no float64 of it, nor does a wider fit."""
    tenth, whole = int(number(rng)) + 0.1, int(number(rng))
    labels = ["float32", "Float32", "Int64", "UInt8", "Float64"]
    values = [tenth, tenth, whole, whole, tenth]
    train = pd.DataFrame({label: [v] * 2 for label, v in zip(labels, values, strict=True)})
    near = {
        label: cells([value, None, value], label)
        for label, value in zip(labels, values, strict=True)
    }
    due = {label: cells([value] * 3, label) for label, value in zip(labels, values, strict=True)}
    result = fitted(solution, train).transform(pd.DataFrame(near))
    assert_typed(result, pd.DataFrame(due), rtol=1e-6)


@pytest.mark.criterion("edge", sheet="fractional-median", hint=DTYPES)
def test_fractional_median_of_whole_numbers(solution, rng):
    """A nullable integer column with a gap and a fractional median becomes Float64."""
    low = int(number(rng))
    gap = pd.array([low, None, low + 1], dtype="Int64")
    whole = pd.array([low, low + 1, low + 7], dtype="Int64")
    frame = probed(rng, gap=gap, whole=whole)
    expected = probe_filled(frame.assign(gap=pd.array([low, low + 0.5, low + 1], dtype="Float64")))
    assert_typed(solution.impute(frame), expected)


@pytest.mark.criterion("edge", sheet="fractional-median", hint=DTYPES)
def test_fractional_medians_of_every_dtype(solution, rng):
    """Whole numbers with a gap become Float64, of every width; complete ones stay."""
    low = int(number(rng, 1, 60))  # the sum of two fits int8: overflow is another line
    high, middle = low + 1, low + 0.5
    complete = of_dtypes(
        [*PLAIN_WHOLE, *NULLABLE_WHOLE], [low, low, low, high, high, high]
    ).add_prefix("full ")
    holes = [low, None, high, low, high, None]
    filled = [low, middle, high, low, high, middle]
    gappy = pd.concat([complete, of_dtypes(WITH_GAPS, holes)], axis=1)
    due = {dtype: cells(filled, dtype if dtype in FRACTIONS else "Float64") for dtype in WITH_GAPS}
    expected = pd.concat([complete, pd.DataFrame(due)], axis=1)
    assert_typed(solution.impute(gappy), expected, "impute")
    assert_typed(fitted(solution, gappy).transform(gappy), expected, "transform")


@pytest.mark.criterion("edge", sheet="fractional-median", hint=DTYPES)
def test_fractional_medians_that_were_learned_elsewhere(solution, rng):
    """The same holds where fit saw integers without a gap, or floats."""
    low = int(number(rng))
    imputer = fitted(solution, pd.DataFrame({"n": [low, low + 1], "m": [low + 0.5, low + 0.5]}))
    column = pd.array([low, None, low + 1], dtype="Int64")
    due = pd.array([low, low + 0.5, low + 1], dtype="Float64")
    result = imputer.transform(pd.DataFrame({"n": column, "m": column}))
    assert_typed(result, pd.DataFrame({"n": due, "m": due}))


@pytest.mark.criterion("edge", sheet="ordinary-values", hint=VALUES)
def test_sentinels_are_ordinary_values(solution, rng):
    """A documented sentinel is a number like any other here."""
    low = number(rng)
    frame = pd.DataFrame({"x": [-999.0, low, NAN, 2 * low + 999], "n": [-999, -1, 0, 9999]})
    assert_cells(solution.impute(frame), frame.fillna({"x": low}))


@pytest.mark.criterion("edge", sheet="ordinary-values", hint=VALUES)
def test_infinity_is_an_ordinary_value(solution, rng):
    """Infinite values are not missing: they stay."""
    low = number(rng)
    frame = probed(rng, x=[INF, low, low], y=[low, -INF, INF])
    assert_cells(solution.impute(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="ordinary-values", hint=VALUES)
def test_gaps_beside_infinity_are_filled(solution, rng):
    """A gap in a column with an infinite value is filled as beside any other large number."""
    assert_fills(solution, rng)
    low = number(rng)
    large = pd.DataFrame({"x": [1e6, low, NAN, low + 1, low + 1]})
    infinite, due = large.replace(1e6, INF), large.fillna(low + 1)
    try:
        assert_cells(solution.impute(large), due)
    except AssertionError:
        return  # no median: another line, and nothing to compare with here
    assert_cells(solution.impute(infinite), infinite.fillna(low + 1), "impute")
    imputer = fitted(solution, infinite)
    assert_cells(imputer.transform(infinite), infinite.fillna(low + 1), "transform")
    assert_cells(imputer.transform(large), due, "transform of finite numbers")


@pytest.mark.criterion("edge", sheet="ordinary-values", hint=VALUES)
def test_infinity_counts_for_the_median(solution, rng):
    """An infinite value is above or below all others, and one of the values for the median."""
    assert_fills(solution, rng)
    low = number(rng)
    large = pd.DataFrame({"x": [1e6, low, NAN, low + 2], "y": [low, NAN, low - 2, -1e6]})
    medians = {"x": low + 2, "y": low - 2}
    try:
        assert_cells(solution.impute(large), large.fillna(medians))
    except AssertionError:
        return  # no median: another line, and nothing to compare with here
    infinite = large.replace({1e6: INF, -1e6: -INF})
    due = infinite.fillna(medians)
    assert_cells(solution.impute(infinite), due, "impute")
    assert_cells(fitted(solution, infinite).transform(infinite), due, "transform")


@pytest.mark.criterion("edge", sheet="ordinary-values", hint=VALUES)
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


@pytest.mark.criterion("edge", sheet="empty-columns", hint=EMPTY)
def test_columns_without_any_value_stay(solution, rng):
    """Numeric columns with nothing but gaps stay, with their dtype."""
    frame = probed(
        rng,
        floats=[NAN, NAN, NAN],
        single=np.full(3, np.nan, dtype="float32"),
        whole=pd.array([None, None, None], dtype="Int64"),
    )
    assert_typed(solution.impute(frame), probe_filled(frame), "impute")
    imputer = solution.keep.MedianImputer()
    assert_typed(imputer.fit_transform(frame), probe_filled(frame), "fit_transform")


@pytest.mark.criterion("edge", sheet="small-frames", hint=EMPTY)
def test_one_row(solution, rng):
    """A single row comes back as it is, with a gap that nothing fills; the report counts it."""
    frame = pd.DataFrame({"x": [number(rng)], "y": [NAN], "n": [1], "name": ["a"]})
    assert_cells(solution.impute(frame), frame, "impute")
    assert_cells(fitted(solution, frame).transform(frame), frame, "transform")
    report = solution.missing_report(frame)
    counts = report_column(report, "n_missing").to_dict()
    due = {"n": 0, "name": 0, "x": 0, "y": 1}
    assert_value(dict(sorted(counts.items())), due, numbers_interchangeable=True)
    shares = report_column(report, "pct_missing").to_dict()
    assert_value(shares.get("n"), 0.0, numbers_interchangeable=True)
    # In which unit is another line's matter: of one row all is missing as of two.
    two = solution.missing_report(pd.DataFrame({"x": [1.0, 2.0], "y": [NAN, NAN]}))
    whole = report_column(two, "pct_missing").to_dict().get("y")
    assert_value(shares.get("y"), whole, rtol=1e-9, numbers_interchangeable=True)
    assert_fills(solution, rng)


@pytest.mark.criterion("edge", sheet="small-frames", hint=EMPTY)
def test_no_rows_and_no_columns(solution, rng):
    """Frames without rows, or without columns, come back as they are."""
    full = probed(rng, n=[1, 2, 3], name=["a", "b", "c"])
    rowless, bare = full.iloc[:0], pd.DataFrame(index=pd.Index(["p", "q"]))
    assert_cells(solution.impute(rowless), rowless, "a frame without rows")
    assert_cells(solution.impute(bare), bare, "a frame without columns")
    assert_cells(fitted(solution, full).transform(rowless), rowless, "transform of no rows")
    assert_cells(fitted(solution, bare).transform(bare), bare, "transform of no columns")
    assert_fills(solution, rng)


@pytest.mark.criterion("edge", sheet="small-frames", hint=EMPTY)
def test_report_of_no_rows_or_no_columns(solution, rng):
    """Nothing of nothing is missing: 0 percent; a frame without columns gives no rows."""
    frame = pd.DataFrame({"x": [1.0], "name": ["a"], "n": [1]}).iloc[:0]
    report = solution.missing_report(frame)
    assert_value(sorted(map(str, report_index(report))), ["n", "name", "x"])
    for name in ("n_missing", "pct_missing"):
        values = [float(value) for value in list(report_column(report, name))]
        assert_value(values, [0.0, 0.0, 0.0], what=name)
    empty = solution.missing_report(pd.DataFrame(index=[1, 2]))
    assert_value(len(report_index(empty)), 0)
    assert_value(sorted(map(str, list(empty.columns))), sorted(REPORT_COLUMNS))
    assert_reports(solution, rng)


@pytest.mark.criterion("edge", sheet="odd-labels", hint=LABELS)
def test_repeated_row_labels(solution, rng):
    """Row labels may repeat: each row keeps its own cells, of whole numbers and of fractions."""
    low = int(number(rng))
    frame = pd.DataFrame(
        {
            "n": pd.array([low, None, low + 1, low, low + 1, None], dtype="Int64"),
            "x": [NAN, low + 0.25, low - 3.0, low + 3.5, low + 0.25, NAN],
        },
        index=np.repeat([3, 4], 3) * int(number(rng)),
    )
    due = frame.assign(n=[low, low + 0.5, low + 1, low, low + 1, low + 0.5])
    due["x"] = [low + 0.25, low + 0.25, low - 3.0, low + 3.5, low + 0.25, low + 0.25]
    assert_cells(solution.impute(frame), due, "impute")
    assert_cells(fitted(solution, frame).transform(frame), due, "transform")


@pytest.mark.criterion("edge", sheet="odd-labels", hint=LABELS)
def test_any_column_labels(solution, rng):
    """Text and numbers side by side are column names, for the imputer as well."""
    first, last = number(rng), number(rng)
    frame = pd.DataFrame(
        {"z": [first, NAN, first], 0: ["a", "b", "c"], 2.5: [5, 5, 5], 10: [NAN, last, last]}
    )
    expected = frame.assign(z=[first] * 3)
    expected[10] = [last] * 3
    assert_cells(solution.impute(frame), expected, "impute")
    assert_cells(fitted(solution, frame).transform(frame), expected, "transform")
    counts = report_column(solution.missing_report(frame), "n_missing")
    assert_value(sorted(float(count) for count in list(counts)), [0.0, 0.0, 1.0, 1.0])


@pytest.mark.criterion("edge", sheet="refused", hint=REFUSE)
def test_repeated_column_names_are_refused(solution, rng):
    """Two columns of one name raise ValueError, wherever they come in."""
    assert_fills(solution, rng)
    twice = pd.DataFrame([[1.0, number(rng)], [NAN, number(rng)]], columns=["x", "x"])
    imputer = fitted(solution, pd.DataFrame({"x": [number(rng), NAN]}))
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


@pytest.mark.criterion("edge", sheet="refused", hint=REFUSE)
def test_other_arguments_are_refused(solution, rng):
    """What is no DataFrame raises TypeError."""
    column = [number(rng), NAN, number(rng)]
    assert_fills(solution, rng)
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


@pytest.mark.criterion("edge", sheet="ties", hint=REPORT)
def test_report_ties_keep_column_order(solution, rng):
    """Columns with equally many gaps come in the frame's order."""
    labels = [f"c{place:02d}" for place in rng.permutation(23)]
    frame = pd.DataFrame({label: [1.0, 2.0, 3.0] for label in labels})
    gappy = labels[3::4]
    frame.loc[1, gappy] = NAN
    rest = [label for label in labels if label not in gappy]
    order = report_index(solution.missing_report(frame))
    assert_value(sorted(map(str, order)), sorted(labels))
    for group in (gappy, rest):  # which of the two comes first is not this test's matter
        assert_value([label for label in order if label in group], group)


@pytest.mark.criterion("edge", sheet="protocol", hint=PROTOCOL)
def test_transform_before_fit_is_refused(solution, rng):
    """Transform before fit raises an error that tells to fit first."""
    assert_fills(solution, rng)
    imputer = solution.keep.MedianImputer()
    with raises((ValueError, RuntimeError), match="(?i)fit"):
        imputer.transform(probed(rng))


@pytest.mark.criterion("edge", sheet="protocol", hint=PROTOCOL)
def test_fit_returns_the_imputer(solution, rng):
    """Fit returns the imputer, so that calls can be chained."""
    frame = probed(rng)
    imputer = solution.keep.MedianImputer()
    chained = imputer.fit(frame)
    assert_cells(chained.transform(frame), probe_filled(frame), "chained")
    assert_cells(imputer.transform(frame), probe_filled(frame), "the imputer")


@pytest.mark.criterion("edge", sheet="other-columns", hint=COLUMNS)
def test_columns_that_fit_never_saw_pass_through(solution, rng):
    """Columns that were not in the fitted frame come back as they are."""
    known = probed(rng)
    frame = known.assign(new=[number(rng), number(rng), number(rng)], label=["a", "b", "c"])
    assert_cells(fitted(solution, known).transform(frame), probe_filled(frame))


@pytest.mark.criterion("edge", sheet="other-columns", hint=COLUMNS)
def test_columns_that_transform_does_not_get_are_not_added(solution, rng):
    """The target, say, is in the fitted frame only."""
    x = number(rng)
    train = pd.DataFrame({"x": [x, x], "target": [number(rng)] * 2, "name": ["a", "b"]})
    frame = pd.DataFrame({"x": [NAN, x, x]})
    assert_cells(fitted(solution, train).transform(frame), frame.fillna(x))


@pytest.mark.criterion("edge", sheet="other-columns", hint=COLUMNS)
def test_a_frame_without_numbers_can_be_fitted(solution, rng):
    """Fit may find nothing to learn; transform then returns what it is given."""
    frame = pd.DataFrame({"x": [number(rng), number(rng)], "name": ["a", "b"]})
    for train in (frame[["name"]], frame.iloc[:0], pd.DataFrame(index=[1, 2])):
        result = fitted(solution, train).transform(frame)
        assert_cells(result, frame, "after a fit without numbers")
    assert_fills(solution, rng)


def _fills_in_place(solution, call, frame: pd.DataFrame) -> bool:
    """Whether a call fills its argument: that is another line, with tests of its own."""
    argument = solution.make(frame)
    assert_cells(solution.keep.call(call, argument).copy(), probe_filled(frame), "a plain frame")
    try:
        counts = report_column(solution.missing_report(argument), "n_missing")
    except (CandidateError, AssertionError):
        return False
    return bool(counts.eq(0).all())


def _assert_own(solution, call, whole: pd.DataFrame) -> None:
    """Hold that changing what a call returns does not change what it was given."""
    argument = solution.make(whole)
    result = solution.keep.call(call, argument)
    assert_cells(result.copy(), whole)
    result.update(pd.DataFrame({"probe": [5500.0] * len(whole)}))
    result.insert(0, "added", 1)
    what = "the argument after the result was changed"
    assert_frame(argument.copy(), expected=whole, what=what)
    assert_same_report(solution, argument, whole, what)


@pytest.mark.criterion("edge", sheet="own-result", hint=RESULT)
def test_impute_returns_a_frame_of_its_own(solution, rng):
    """The result is a new frame, also where there was nothing to fill."""
    frame = probed(rng, whole=[1, 2, 3], name=["a", "b", "c"])
    if _fills_in_place(solution, "impute", frame):
        return
    _assert_own(solution, "impute", probe_filled(frame))


@pytest.mark.criterion("edge", sheet="own-result", hint=RESULT)
def test_transform_returns_a_frame_of_its_own(solution, rng):
    """The same holds for transform, and for fit_transform."""
    frame = probed(rng, whole=[1, 2, 3], name=["a", "b", "c"])
    imputer = fitted(solution, frame)
    if _fills_in_place(solution, imputer.transform, frame):
        return
    _assert_own(solution, imputer.transform, probe_filled(frame))
    _assert_own(solution, imputer.fit_transform, probe_filled(frame))


@pytest.mark.criterion("edge", sheet="own-result", hint=RESULT)
def test_changing_a_result_does_not_change_the_imputer(solution, rng):
    """Whoever changes what the imputer returned does not change what it fills in later."""
    x = number(rng)
    train, gap = pd.DataFrame({"x": [x, NAN, x]}), pd.DataFrame({"x": [NAN, x]})
    imputer = solution.keep.MedianImputer()
    for call, frame in ((imputer.fit_transform, train), (imputer.transform, gap)):
        result = solution.keep.call(call, frame)
        assert_cells(result.copy(), frame.fillna(x))
        result.update(pd.DataFrame({"x": [5500.0] * len(frame)}))
        assert_cells(imputer.transform(gap), gap.fillna(x), "transform after a result was changed")
