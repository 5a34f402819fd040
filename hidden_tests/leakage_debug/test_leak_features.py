"""Features of test rows do not reach the model."""

from __future__ import annotations

import data as d
import pytest

from grader.judge.leakage import assert_depends, assert_still

NUMBERS = "Which rows are your medians, means and scales computed from?"
CATEGORIES = "Which rows are your encodings and frequencies computed from?"


@pytest.mark.criterion("leak_numeric", hint=NUMBERS)
def test_numbers_of_test_rows_do_not_matter(experiment, rng, measure, remark):
    """Scores of untouched payments stay when only the numbers of test rows are altered."""
    after = experiment.first_to_move(
        lambda: d.numbers_altered(experiment.frame, experiment.outside, rng)
    )
    assert_depends(experiment.power, measure=measure)
    altered = "the numbers of rows outside training"
    assert_still(
        experiment.moved(after),
        altered=altered,
        means="a statistic was learned from the test set",
        measure=measure,
        remark=remark,
    )
    experiment.assert_state_still(after, altered)


@pytest.mark.criterion("leak_categorical", hint=CATEGORIES)
def test_categories_of_test_rows_do_not_matter(experiment, rng, measure, remark):
    """Scores of untouched payments stay when only the categories of test rows are altered."""
    after = experiment.first_to_move(
        lambda: d.categories_altered(experiment.frame, experiment.outside, rng)
    )
    assert_depends(experiment.power, measure=measure)
    altered = "the merchants, channels and countries of rows outside training"
    assert_still(
        experiment.moved(after),
        altered=altered,
        means="an encoding was learned from the test set",
        measure=measure,
        remark=remark,
    )
    experiment.assert_state_still(after, altered)
