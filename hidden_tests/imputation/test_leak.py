"""Medians come from the frame that was fitted, and from nothing else.

Training columns here have equal mean and median, so that only the source of a statistic decides.
"""

from __future__ import annotations

import pandas as pd
import pytest
from data import (
    NAN,
    WITH_GAPS,
    assert_cells,
    assert_probe,
    fitted,
    number,
    of_dtypes,
    symmetric,
    symmetric_pairs,
    with_gaps,
)
from hypothesis import given, settings

from grader.judge.errors import CandidateError

HINT = "Where may the medians that fill a test set come from?"
STATE = "What may transform change in the imputer?"
NOTHING = "What is known about a column in which fit saw no number?"


def _filled(frame: pd.DataFrame, medians: dict[str, float]) -> pd.DataFrame:
    return frame.fillna(medians)


@pytest.mark.criterion("leak", sheet="train-only", hint=HINT)
def test_gaps_of_the_test_set_get_the_medians_of_training(solution, rng):
    """A test set with quite other values is filled with the medians of the training set."""
    values, centre = symmetric(rng)
    train = pd.DataFrame({"x": with_gaps(values, rng)})
    test = pd.DataFrame({"x": with_gaps([value + 5000.0 for value in values], rng)})
    result = fitted(solution, train).transform(test)
    assert_cells(result, _filled(test, {"x": centre}))


@pytest.mark.criterion("leak", sheet="train-only", hint=HINT)
def test_one_row_of_the_test_set_is_enough(solution, rng):
    """A single row without a value gets the median of training."""
    values, centre = symmetric(rng)
    far = number(rng, 6000, 9000)
    imputer = fitted(solution, pd.DataFrame({"x": values, "y": number(rng)}))
    test = pd.DataFrame({"x": [NAN], "y": [far]})
    assert_cells(imputer.transform(test), test.fillna(centre))


@pytest.mark.criterion("leak", sheet="train-only", hint=STATE)
def test_transform_learns_nothing(solution, rng):
    """The second of two test sets is filled like the first."""
    values, centre = symmetric(rng)
    imputer = fitted(solution, pd.DataFrame({"x": values}))
    first = pd.DataFrame({"x": [9000.0, NAN, 9000.0]})
    second = pd.DataFrame({"x": [-9000.0, NAN, -8000.0]})
    for frame in (first, second, first):
        assert_cells(imputer.transform(frame), _filled(frame, {"x": centre}))


@pytest.mark.criterion("leak", sheet="train-only", hint=STATE)
def test_fit_transform_leaves_a_fitted_imputer(solution, rng):
    """After fit_transform on training, transform fills with the medians of training."""
    values, centre = symmetric(rng)
    train = pd.DataFrame({"x": with_gaps(values, rng)})
    imputer = solution.keep.MedianImputer()
    assert_cells(imputer.fit_transform(train), _filled(train, {"x": centre}))
    test = pd.DataFrame({"x": [NAN, centre + 4000.0, centre + 4000.0]})
    assert_cells(imputer.transform(test), _filled(test, {"x": centre}))


@pytest.mark.criterion("leak", sheet="train-only", hint=HINT)
def test_rows_are_filled_alike_alone_and_together(solution, rng):
    """It makes no difference in which batches a test set comes."""
    values, centre = symmetric(rng)
    imputer = fitted(solution, pd.DataFrame({"x": values}))
    test = pd.DataFrame({"x": with_gaps([value - 3000.0 for value in values], rng)})
    expected = _filled(test, {"x": centre})
    cut = int(rng.integers(1, len(test) - 1))
    for part in (slice(None), slice(0, cut), slice(cut, None)):
        assert_cells(imputer.transform(test.iloc[part]), expected.iloc[part])


@pytest.mark.criterion("leak", sheet="unknown-stay", hint=NOTHING)
def test_nothing_is_made_up_from_the_test_set(solution, rng):
    """A column in which training had no value keeps its gaps, whatever the test set holds."""
    values, centre = symmetric(rng)
    train = pd.DataFrame({"x": values, "y": NAN})
    test = pd.DataFrame({"x": [NAN, 8000.0, 8000.0], "y": [NAN, 6.0, 6.0]})
    expected = pd.DataFrame({"x": [centre, 8000.0, 8000.0], "y": [NAN, 6.0, 6.0]})
    assert_cells(fitted(solution, train).transform(test), expected)


@pytest.mark.criterion("leak", sheet="unknown-stay", hint=NOTHING)
def test_unknown_columns_are_not_filled_from_the_test_set(solution, rng):
    """A column that fit never saw is not filled with a statistic of the test set."""
    values, centre = symmetric(rng)
    imputer = fitted(solution, pd.DataFrame({"x": values}))
    known = pd.DataFrame({"x": [NAN, 8000.0, 8000.0]})
    assert_cells(imputer.transform(known), _filled(known, {"x": centre}))
    test = known.assign(new=[NAN, 6.0, 6.0])
    try:
        result = imputer.transform(test)
    except CandidateError:
        return  # a refusal leaks nothing; an edge test charges it
    assert_cells(result, _filled(test, {"x": centre}))


@pytest.mark.criterion("leak", sheet="unknown-stay", hint=STATE)
@pytest.mark.parametrize("before", ["never seen", "without a number"])
def test_transform_learns_no_column(solution, rng, before):
    """A column that fit knows nothing of keeps its gaps, also after a test set with numbers."""
    values, centre = symmetric(rng)
    train = pd.DataFrame({"x": values})
    if before == "without a number":
        train = train.assign(y=NAN)
    imputer = fitted(solution, train)
    first = pd.DataFrame({"x": [NAN, 8000.0, 8000.0], "y": [6.0, 6.0, 7.0]})
    known = first[list(train.columns)]
    assert_cells(imputer.transform(known), _filled(known, {"x": centre}))
    results, tests = [], [first, first.assign(y=[NAN, 6.0, NAN])]
    try:
        results += [imputer.transform(test) for test in tests]
    except CandidateError:
        return  # a refusal leaks nothing; an edge test charges it
    for test, result in zip(tests, results, strict=True):
        assert_cells(result, _filled(test, {"x": centre}))


@pytest.mark.criterion("leak", sheet="train-only", hint=HINT)
def test_no_dtype_is_filled_from_the_test_set(solution, rng):
    """Of every numeric dtype, gaps get the median of training: never one of the test set.

    A gap that stays is no leak; that each dtype is filled is an edge test's matter.
    """
    centre, far = int(number(rng, 15, 40)), int(number(rng, 90, 110))
    train = of_dtypes(WITH_GAPS, [centre - 3, centre + 3, None, centre - 9, centre + 9, centre])
    value = number(rng)
    test = of_dtypes(WITH_GAPS, [far, None, far + 4, far + 8, None])
    test = test.assign(probe=[value, NAN, value, value, NAN])
    result = fitted(solution, train.assign(probe=value)).transform(test)
    assert_probe(result, test)
    filled = of_dtypes(WITH_GAPS, [far, centre, far + 4, far + 8, centre])
    for dtype in WITH_GAPS:
        column = result.filter(items=[dtype])
        due = test if bool(column.isna().to_numpy().any()) else filled
        assert_cells(column, due[[dtype]], f"the column {dtype}")


@pytest.mark.criterion("leak", sheet="train-only", hint=HINT)
def test_a_long_test_set_gets_the_medians_of_training(solution, rng):
    """The size of a test set makes no difference, next to a small training set or a large one."""
    for size in (9, 6001):
        centre = number(rng)
        test = pd.DataFrame({"x": with_gaps([float(v) for v in range(5000, 17_000)], rng, 900)})
        result = fitted(solution, pd.DataFrame({"x": [centre] * size})).transform(test)
        assert_cells(result, _filled(test, {"x": centre}))


@pytest.mark.criterion("leak", sheet="unknown-stay", hint=NOTHING)
def test_columns_that_were_no_numbers_are_not_filled(solution, rng):
    """A column that was text or dates in training learns nothing from the test set."""
    values, centre = symmetric(rng)
    train = pd.DataFrame({"x": values, "text": "a", "day": pd.Timestamp("2024-05-01")})
    known = pd.DataFrame({"x": [NAN, 8000.0, 8000.0]})
    imputer = fitted(solution, train)
    assert_cells(imputer.transform(known), _filled(known, {"x": centre}))
    test = known.assign(text=[NAN, 6.0, 6.0], day=[NAN, 7.0, 7.0])
    try:
        result = imputer.transform(test)
    except CandidateError:
        return  # a refusal leaks nothing
    assert_cells(result, _filled(test, {"x": centre}))


@pytest.mark.criterion("leak", sheet="train-only", hint=HINT)
@settings(max_examples=12)
@given(symmetric_pairs())
def test_any_test_set_gets_the_medians_of_training(solution, pair):
    """Whatever both frames hold, the gaps of the second get the medians of the first."""
    train, test = pair
    median = float(train["x"].median())
    assert_cells(fitted(solution, train).transform(test), _filled(test, {"x": median}))
