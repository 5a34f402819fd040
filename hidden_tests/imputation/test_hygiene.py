"""The caller's frames stay as they were, and nothing is remembered that should not be.

Frames to transform agree with the medians that are due, so that where a statistic comes from (the
criterion `leak`) makes no difference here.
"""

from __future__ import annotations

import pandas as pd
import pytest
from data import (
    NAN,
    assert_cells,
    assert_probe,
    crowded,
    fitted,
    probe_filled,
    probed,
    report_column,
)

from grader.judge.compare import assert_frame, assert_value
from grader.judge.errors import CandidateError

INPUT = "Look at the argument after the call."
RESULT = "Change the result, and look at the argument."
STATE = "Where do the learned medians live, and for how long?"


def _frame() -> pd.DataFrame:
    return probed(n=pd.array([1, None, 3], dtype="Int64"), name=[" a ", "b", "c"])


def _expected() -> pd.DataFrame:
    return probe_filled(_frame().assign(n=pd.array([1, 2, 3], dtype="Int64")))


@pytest.mark.criterion("hygiene", hint=INPUT)
def test_impute_leaves_its_argument_alone(solution):
    """The frame given to impute is the same afterwards."""
    frame = solution.make(_frame())
    assert_cells(solution.impute(frame), _expected())
    assert_frame(frame.copy(), expected=_frame(), what="the argument afterwards")


@pytest.mark.criterion("hygiene", hint=INPUT)
def test_report_leaves_its_argument_alone(solution):
    """The frame given to missing_report is the same afterwards."""
    frame = solution.make(_frame())
    counts = report_column(solution.missing_report(frame), "n_missing").to_dict()
    due = {"n": 1, "name": 0, "probe": 1}
    assert_value(dict(sorted(counts.items())), due, numbers_interchangeable=True)
    assert_frame(frame.copy(), expected=_frame(), what="the argument afterwards")


@pytest.mark.criterion("hygiene", hint=INPUT)
def test_imputer_leaves_its_arguments_alone(solution):
    """The frames given to fit, transform and fit_transform are the same afterwards."""
    train, test = solution.make(_frame()), solution.make(_frame())
    imputer = solution.keep.MedianImputer()
    imputer.fit(train)
    assert_cells(imputer.transform(test), _expected(), "transform")
    assert_frame(train.copy(), expected=_frame(), what="fit's argument afterwards")
    assert_frame(test.copy(), expected=_frame(), what="transform's argument afterwards")
    assert_cells(imputer.fit_transform(train), _expected(), "fit_transform")
    assert_frame(train.copy(), expected=_frame(), what="fit_transform's argument afterwards")


@pytest.mark.criterion("hygiene", hint=INPUT)
def test_no_dtype_is_changed_in_place(solution):
    """Columns of every numeric dtype are as they were, complete or not, after every function."""
    frame = solution.make(crowded())
    report_column(solution.missing_report(frame), "n_missing")
    assert_frame(frame.copy(), expected=crowded(), what="missing_report's argument afterwards")
    assert_probe(solution.impute(frame), rows=6)
    assert_frame(frame.copy(), expected=crowded(), what="impute's argument afterwards")
    imputer = fitted(solution, frame)
    assert_frame(frame.copy(), expected=crowded(), what="fit's argument afterwards")
    assert_probe(imputer.transform(frame), rows=6)
    assert_frame(frame.copy(), expected=crowded(), what="transform's argument afterwards")


@pytest.mark.criterion("hygiene", hint=RESULT)
def test_impute_returns_a_frame_of_its_own(solution):
    """The result is a new frame, also where there was nothing to fill."""
    whole = pd.DataFrame({"x": [1.0, 2.0], "name": ["a", "b"]})
    frame = solution.make(whole)
    result = solution.keep.impute(frame)
    assert_cells(result.copy(), whole)
    result.update(pd.DataFrame({"x": [50.0, 60.0]}))
    result.insert(0, "added", 1)
    assert_frame(frame.copy(), expected=whole, what="the argument after the result was changed")
    assert_cells(solution.impute(probed()), probe_filled(probed()))


@pytest.mark.criterion("hygiene", hint=RESULT)
def test_transform_returns_a_frame_of_its_own(solution):
    """The same holds for transform."""
    whole = pd.DataFrame({"x": [1.0, 2.0], "name": ["a", "b"]})
    frame = solution.make(whole)
    imputer = fitted(solution, whole)
    result = solution.keep.call(imputer.transform, frame)
    assert_cells(result.copy(), whole)
    result.update(pd.DataFrame({"x": [50.0, 60.0]}))
    result.insert(0, "added", 1)
    assert_frame(frame.copy(), expected=whole, what="the argument after the result was changed")
    gap = pd.DataFrame({"x": [NAN, 1.5, 1.5]})
    assert_cells(imputer.transform(gap), gap.fillna(1.5))


@pytest.mark.criterion("hygiene", hint=STATE)
def test_imputers_do_not_share_what_they_learned(solution):
    """Two imputers that were fitted on different frames stay different."""
    low = fitted(solution, pd.DataFrame({"x": [1.0, 1.0]}))
    high = fitted(solution, pd.DataFrame({"x": [900.0, 900.0]}))
    for imputer, median in ((low, 1.0), (high, 900.0)):
        gap = pd.DataFrame({"x": [NAN, median, median]})
        assert_cells(imputer.transform(gap), gap.fillna(median))


@pytest.mark.criterion("hygiene", hint=STATE)
def test_fitting_again_forgets(solution):
    """A second fit replaces all that the first one learned."""
    imputer = fitted(solution, pd.DataFrame({"x": [1.0, 1.0], "old": [5.0, 5.0]}))
    imputer.fit(pd.DataFrame({"x": [30.0, 30.0]}))
    gap = pd.DataFrame({"x": [NAN, 30.0, 30.0]})
    assert_cells(imputer.transform(gap), gap.fillna(30.0))
    gap["old"] = NAN
    try:
        result = imputer.transform(gap)
    except CandidateError:
        return  # it has forgotten the column; an edge test charges the refusal
    assert_cells(result, gap.fillna({"x": 30.0}))


@pytest.mark.criterion("hygiene", hint=STATE)
def test_changing_the_training_frame_later_changes_nothing(solution):
    """Medians are learned in fit, not looked up later."""
    train = solution.make(pd.DataFrame({"x": [4.0, 4.0, 4.0]}))
    imputer = solution.keep.MedianImputer()
    imputer.fit(train)
    train.update(pd.DataFrame({"x": [800.0, 800.0, 800.0]}))
    gap = pd.DataFrame({"x": [NAN, 4.0, 4.0]})
    assert_cells(imputer.transform(gap), gap.fillna(4.0))


@pytest.mark.criterion("hygiene", hint=STATE)
def test_calls_do_not_depend_on_earlier_calls(solution):
    """A frame gets the same answer before and after another one of the same shape."""
    low = pd.DataFrame({"x": [1.0, NAN, 1.0]})
    high = pd.DataFrame({"x": [70.0, NAN, 70.0]})
    for frame, value in ((low, 1.0), (high, 70.0), (low, 1.0)):
        assert_cells(solution.impute(frame), frame.fillna(value))


@pytest.mark.criterion("hygiene", hint=STATE)
def test_a_frame_that_changed_is_a_new_frame(solution):
    """Nothing is remembered of a frame: after a change in place it has another median."""
    frame = solution.make(pd.DataFrame({"x": [4.0, NAN, 4.0, 4.0], "n": [1, 2, 3, 4]}))
    imputer = fitted(solution, frame)
    assert_cells(solution.impute(frame), pd.DataFrame({"x": [4.0] * 4, "n": [1, 2, 3, 4]}))
    frame.update(pd.DataFrame({"x": [800.0, NAN, 800.0, 800.0]}))
    due = pd.DataFrame({"x": [800.0] * 4, "n": [1, 2, 3, 4]})
    assert_cells(solution.impute(frame), due, "impute after a change")
    imputer.fit(frame)
    gap = pd.DataFrame({"x": [NAN, 800.0]})
    assert_cells(imputer.transform(gap), gap.fillna(800.0), "transform after a change and a fit")
