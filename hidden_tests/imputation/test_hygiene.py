"""Nothing is remembered that should not be.

Frames to transform agree with the medians that are due, so that where a statistic comes from (the
criterion `leak`) makes no difference here.
"""

from __future__ import annotations

import pandas as pd
import pytest
from data import NAN, assert_cells, fitted, number

from grader.judge.errors import CandidateError

STATE = "Where do the learned medians live, and for how long?"


@pytest.mark.criterion("hygiene", sheet="fit-anew", hint=STATE)
def test_fitting_again_forgets(solution, rng):
    """A second fit replaces all that the first one learned."""
    old, new = number(rng), number(rng, 300, 900)
    imputer = solution.keep.MedianImputer()
    imputer.fit_transform(pd.DataFrame({"x": [old, old], "old": [old, old]}))
    imputer.fit(pd.DataFrame({"x": [new, new]}))
    gap = pd.DataFrame({"x": [NAN, new, new]})
    assert_cells(imputer.transform(gap), gap.fillna(new))
    gap["old"] = NAN
    try:
        result = imputer.transform(gap)
    except CandidateError:
        return  # it has forgotten the column; an edge test charges the refusal
    assert_cells(result, gap.fillna({"x": new}))


@pytest.mark.criterion("hygiene", sheet="fit-anew", hint=STATE)
def test_changing_the_training_frame_later_changes_nothing(solution, rng):
    """Medians are learned in fit, not looked up later."""
    x = number(rng)
    train = solution.make(pd.DataFrame({"x": [x, x, x]}))
    imputer = solution.keep.MedianImputer()
    imputer.fit(train)
    late = number(rng, 500, 900)
    train.update(pd.DataFrame({"x": [late] * 3}))
    gap = pd.DataFrame({"x": [NAN, x, x]})
    assert_cells(imputer.transform(gap), gap.fillna(x))
    assert_cells(solution.impute(train), pd.DataFrame({"x": [late] * 3}), "impute after the change")


@pytest.mark.criterion("hygiene", sheet="nothing-shared", hint=STATE)
def test_imputers_do_not_share_what_they_learned(solution, rng):
    """Two imputers that were fitted on different frames stay different."""
    x, y = number(rng), number(rng, 300, 900)
    low = fitted(solution, pd.DataFrame({"x": [x, x]}))
    high = fitted(solution, pd.DataFrame({"x": [y, y]}))
    for imputer, median in ((low, x), (high, y), (low, x)):
        gap = pd.DataFrame({"x": [NAN, median, median]})
        assert_cells(imputer.transform(gap), gap.fillna(median))


@pytest.mark.criterion("hygiene", sheet="nothing-shared", hint=STATE)
def test_calls_do_not_depend_on_earlier_calls(solution, rng):
    """A frame gets the same answer before and after another one of the same shape."""
    x, y = number(rng), number(rng, 300, 900)
    for value in (x, y, x):
        frame = pd.DataFrame({"x": [value, NAN, value]})
        assert_cells(solution.impute(frame), frame.fillna(value))


@pytest.mark.criterion("hygiene", sheet="nothing-shared", hint=STATE)
def test_a_frame_that_changed_is_a_new_frame(solution, rng):
    """Nothing is remembered of a frame: after a change in place it has another median."""
    x, y, late = number(rng), number(rng, 300, 900), number(rng)
    frame = solution.make(pd.DataFrame({"x": [x, NAN, x]}))
    fitted(solution, frame)
    assert_cells(solution.impute(frame), pd.DataFrame({"x": [x] * 3}))
    frame.update(pd.DataFrame({"x": [y] * 3}))
    frame.insert(1, "late", [late, NAN, late])
    due = pd.DataFrame({"x": [y] * 3, "late": [late] * 3})
    assert_cells(solution.impute(frame), due, "impute after a change")
    gap = pd.DataFrame({"x": [NAN, y], "late": [late, late]})
    due = gap.fillna({"x": y})
    assert_cells(fitted(solution, frame).transform(gap), due, "a fit after a change")
