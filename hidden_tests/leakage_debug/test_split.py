"""The split is the one that the brief asks for."""

from __future__ import annotations

import data as d
import pytest
from experiment import as_split

from grader.judge.leakage import assert_groups_apart, assert_rows_apart, assert_time_order

ROWS = "Is every id a row of the input, used once?"
CARDS = "Which cards will the model see in production?"
TIES = "On which side is a payment that came at the very time of the cut?"
TIME = "When will the model be used, and what will it have seen by then?"


def _folds(solution, experiment):
    return as_split(solution.split(experiment.frame))


def _rows_only(folds, experiment):
    """Groups and times of ids that are no rows cannot be looked up."""
    for fold in folds:
        for ids in fold:
            if not experiment.frame.index.isin(ids).sum() == len(set(ids)):
                raise AssertionError(
                    "This cannot be measured: the ids that split gives are no rows of the frame."
                )


@pytest.mark.criterion("split_rows", sheet="ids", hint=ROWS)
def test_no_row_is_on_both_sides(solution, experiment):
    """Ids are rows of the input, each once, in train or in test."""
    assert_rows_apart(_folds(solution, experiment), experiment.frame.index)


@pytest.mark.criterion("split_groups", sheet="new-cards", hint=CARDS)
def test_cards_in_test_are_new(solution, experiment):
    """No card of the test set has payments in the training set."""
    folds = _folds(solution, experiment)
    _rows_only(folds, experiment)
    assert_groups_apart(folds, experiment.frame[d.GROUP], "cards")


@pytest.mark.criterion("split_time", sheet="past-to-future", hint=TIME)
def test_training_lies_before_testing(solution, experiment):
    """All training payments are older than all test payments."""
    folds = _folds(solution, experiment)
    _rows_only(folds, experiment)
    assert_time_order(folds, experiment.frame[d.TIME])


@pytest.mark.criterion("edge", sheet="same-time", hint=TIES)
def test_payments_of_the_same_time_are_on_one_side(solution, experiment, rng, remark):
    """The same holds where many payments share a time stamp, as in a coarse export."""
    try:
        assert_time_order(_folds(solution, experiment), experiment.frame[d.TIME])
    except (AssertionError, KeyError):
        remark("The split is not in time at all, which its own line charges.")
        return
    for cards in (100, 110, 120):
        frame = d.in_coarse_time(experiment.world.payments(rng, cards))
        folds = as_split(solution.split(frame))
        if all(frame.index.isin(ids).sum() == len(ids) for fold in folds for ids in fold):
            assert_time_order(folds, frame[d.TIME])
