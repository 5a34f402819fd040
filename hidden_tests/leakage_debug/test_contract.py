"""The experiment is the one that it says it is."""

from __future__ import annotations

import data as d
import pytest
from experiment import as_run, as_split, row_scores

from grader.judge.compare import assert_array, assert_frame, assert_value

FOLDS = "Read again in the task sheet which rows run has to use, and what it gives back."
SIZES = "How large must each side of a fold be? See the task sheet."
CALLER = "Whose data frame is it?"
AGAIN = "What does predict remember of the payments that it has scored?"
MIN_TRAIN, MIN_TEST = 0.25, 0.05


@pytest.mark.criterion("contract", sheet="given-folds", hint=FOLDS)
def test_run_evaluates_the_folds_it_is_given(experiment):
    """Run reports exactly the rows of the folds that it was given."""
    folds = d.brief_folds(experiment.small, 0.45, 0.65)
    run = experiment.run(experiment.small, folds)
    assert_value(len(run.folds), 2, what="number of folds")
    for number, fold in enumerate(folds):
        got = run.folds[number]
        for side in ("train_ids", "test_ids"):
            what = f"{side} of fold {number + 1}"
            assert_value(sorted(got[side]), sorted(getattr(fold, side)), what=what)


@pytest.mark.criterion("contract", sheet="enough", hint=SIZES)
def test_split_leaves_enough_on_both_sides(solution, experiment):
    """Each fold has enough rows to learn from and to be measured on."""
    frame = experiment.frame
    for number, fold in enumerate(as_split(solution.split(frame)), 1):
        if len(fold.train_ids) < MIN_TRAIN * len(frame):
            raise AssertionError(f"fold {number} trains on {len(fold.train_ids)} rows only")
        if len(fold.test_ids) < MIN_TEST * len(frame):
            raise AssertionError(f"fold {number} tests on {len(fold.test_ids)} rows only")


@pytest.mark.criterion("edge", sheet="no-memory", hint=CALLER)
def test_run_leaves_its_argument_alone(solution, experiment):
    """Split and run do not change the caller's frame."""
    frame = experiment.frame
    folds = [tuple(fold) for fold in d.brief_folds(frame, 0.5)]
    made = solution.make(frame)
    solution.keep.split(made)
    solution.keep.run(made, folds)
    assert_frame(made.copy(), expected=frame, what="the caller's frame after run")
    seen = [tuple(fold) for fold in as_split(solution.split(made))]
    first, second = (
        [tuple(fold) for fold in as_split(solution.fresh().split(frame))] for _ in range(2)
    )
    if first == second:  # else it draws at random
        assert_value(seen, first, what="what split says of the frame after run")


@pytest.mark.criterion("edge", sheet="no-memory", hint=CALLER)
def test_predict_leaves_its_argument_alone(solution, experiment):
    """Predict does not change the caller's rows."""
    folds = [tuple(fold) for fold in d.brief_folds(experiment.small, 0.5)]
    run = as_run(solution.run(experiment.small, folds))
    made = solution.make(experiment.probe)
    solution.keep.predict(run.model, made)
    assert_frame(made.copy(), expected=experiment.probe, what="the caller's rows after predict")
    due = experiment.predict(run.model, experiment.probe)
    seen = row_scores(solution.predict(run.model, made), experiment.probe.index)
    assert_array(seen, expected=due, atol=1e-9, what="scores of the caller's rows after predict")


@pytest.mark.criterion("edge", sheet="no-memory", hint=AGAIN)
def test_predict_remembers_no_call(solution, experiment):
    """A second call of predict gives what the first one gave, also after other rows."""
    folds = [tuple(fold) for fold in d.brief_folds(experiment.small, 0.5)]
    run = as_run(solution.run(experiment.small, folds))
    rows = experiment.probe.head(60)
    first = experiment.predict(run.model, rows)
    experiment.predict(run.model, experiment.probe.tail(90))
    second = experiment.predict(run.model, rows)
    assert_array(second, expected=first, atol=1e-9, what="scores asked for again")
