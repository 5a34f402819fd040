"""Features of test rows do not reach the model."""

from __future__ import annotations

import data as d
import pytest

from grader.judge.leakage import Verdict, assert_depends, assert_still

NUMBERS = "Which rows are your medians, means and scales computed from?"
CATEGORIES = "Which rows are your encodings and frequencies computed from?"
FOLDS = "What does a fold's model know of the other folds?"
CARDS = 260  # of the data that candidates have


@pytest.mark.criterion("leak_numeric", sheet="test-features", hint=NUMBERS)
def test_numbers_of_test_rows_do_not_matter(solution, experiment, measure, remark):
    """Scores of untouched payments stay when only numbers and times of test rows are altered."""
    solution.keep.split(experiment.frame)  # the runs may be known from an earlier test
    assert_depends(experiment.power, measure=measure)
    altered = "the numbers, times and reviews of rows outside training"
    assert_still(
        experiment.moved(experiment.other_measures),
        altered=altered,
        means="a statistic was learned from the test set",
        measure=measure,
        remark=remark,
    )
    experiment.assert_state_still(experiment.other_measures, altered)


@pytest.mark.criterion("leak_numeric", sheet="test-features", hint=NUMBERS)
def test_numbers_of_test_rows_do_not_matter_in_a_long_history(
    solution, experiment, rng, measure, remark
):
    """So it is in a history as long as the shipped one, also of cards that a fold leaves out."""
    solution.keep.split(experiment.frame)  # it may end here
    charged = experiment.opposed, experiment.moved(experiment.other_measures)
    if any(moved.verdict is Verdict.MOVED for moved in charged):
        return
    frame = experiment.world.payments(rng, CARDS)
    folds = [d.leaving_cards_out(frame, fold, rng) for fold in d.brief_folds(frame, 0.5)]
    ids = frame.index.difference(folds[0].train_ids).tolist()
    altered = d.measures_altered(frame, ids, rng)
    assert_still(
        experiment.moved_in_long_history(frame, altered, folds),
        altered="the numbers, times and reviews of rows outside training, in a long history,",
        means="something was learned from the test set",
        measure=measure,
        remark=remark,
    )


@pytest.mark.criterion("leak_categorical", sheet="test-features", hint=CATEGORIES)
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


@pytest.mark.criterion("leak_categorical", sheet="test-features", hint=CATEGORIES)
def test_cards_of_test_rows_do_not_matter(solution, experiment, rng, measure, remark):
    """Scores of untouched payments stay when test rows are of other cards."""
    solution.keep.split(experiment.frame)
    assert_depends(experiment.power, measure=measure)
    if experiment.moved(experiment.other_measures).verdict is Verdict.MOVED:
        return  # statistics of numbers by card move here as well, and are charged already
    after = experiment.answers(d.cards_redrawn(experiment.frame, experiment.fold.test_ids, rng))
    assert_still(
        experiment.moved(after),
        altered="the cards of test rows",
        means="cards were counted in the test set",
        measure=measure,
        remark=remark,
    )


@pytest.mark.criterion("leak_folds", sheet="other-folds", hint=FOLDS)
def test_other_folds_do_not_matter(experiment, measure, remark):
    """The first fold's model is the same whether or not run gets a later fold as well."""
    moved = experiment.without_other_folds
    assert_depends(experiment.power, measure=measure)
    assert_still(
        moved,
        altered="the other folds",
        means="something was learned or chosen on rows of another fold, among them test rows of "
        "this one",
        measure=measure,
        remark=remark,
    )


@pytest.mark.criterion("leak_folds", sheet="other-folds", hint=FOLDS)
def test_folds_before_it_do_not_matter(experiment, measure, remark):
    """A fold's model is the same whether or not run gets another fold before it."""
    moved = experiment.after_another_fold
    assert_depends(experiment.power, measure=measure)
    if moved is None:
        remark("Models hang on random numbers that others draw first, so that this shows nothing.")
        return
    assert_still(
        moved,
        altered="the fold before it",
        means="something was kept of a fold before, among it test rows of this one",
        measure=measure,
        remark=remark,
    )


@pytest.mark.criterion("leak_folds", sheet="given-folds", hint=FOLDS)
def test_each_fold_has_a_model_of_its_own_rows(experiment, rng, measure):
    """The later fold's model is another one when the rows that it alone trains on are altered."""
    first, last = experiment.folds
    own = sorted(set(last.train_ids) - set(first.train_ids))
    frame = d.labels_gathered(experiment.frame, own, "merchant_category", rng)
    moved = experiment.moved(experiment.answers(frame, control=True))
    measure("change by the later fold's own rows", moved.effect, "score")
    if moved.verdict is Verdict.STILL:
        raise AssertionError(
            "The later fold's model stays the same when the labels of rows are altered that it "
            "alone trains on, so it was not trained on them."
        )
