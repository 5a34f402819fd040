"""The experiment is the one that it says it is."""

from __future__ import annotations

import data as d
import numpy as np
import pytest
from experiment import as_run, as_split, row_scores

from grader.judge.compare import assert_array, assert_frame, assert_value
from grader.judge.errors import CandidateError

FOLDS = "Read again in the task sheet which rows run has to use, and what it gives back."
SIZES = "How large must each side of a fold be? See the task sheet."
CALLER = "Whose data frame is it?"
AGAIN = "What does predict remember of the payments that it has scored?"
RUNS = "What is left of a call when the next one begins, with other payments under the same ids?"
MIN_TRAIN, MIN_TEST = 0.25, 0.05
SURE = 5  # more runs that agree with two: what differs then is no chance


def _pairs(reply):
    return [tuple(fold) for fold in as_split(reply)]


def _assert_folds(run, folds):
    assert_value(len(run.folds), len(folds), what="number of folds")
    for number, fold in enumerate(folds):
        got = run.folds[number]
        for side in ("train_ids", "test_ids"):
            what = f"{side} of fold {number + 1}"
            assert_value(sorted(got[side]), sorted(getattr(fold, side)), what=what)


@pytest.mark.criterion("contract", sheet="given-folds", hint=FOLDS)
def test_run_evaluates_the_folds_it_is_given(experiment):
    """Run reports exactly the rows of the folds that it was given, in their order."""
    frame = experiment.small
    early, middle, late = d.brief_folds(frame, 0.45, 0.55, 0.65)
    ends = frame.loc[late.test_ids, d.TIME].min()
    times = frame.loc[early.test_ids, d.TIME]
    folds = [middle, d.Fold(early.train_ids, times.index[times < ends].tolist()), late]
    _assert_folds(experiment.run(frame, folds), folds)


@pytest.mark.criterion("edge", sheet="given-folds", hint=FOLDS)
def test_run_leaves_no_row_of_a_fold_out(experiment):
    """So it does where cards are on both sides of a fold, unless it refuses such a fold."""
    frame = experiment.small
    (fold,) = d.brief_folds(frame, 0.5)
    experiment.run(frame, [fold])
    begin = frame.loc[fold.test_ids, d.TIME].min()
    folds = [d.Fold(fold.train_ids, frame.index[frame[d.TIME] >= begin].tolist())]
    try:
        run = experiment.run(frame, folds)
    except CandidateError:
        return
    _assert_folds(run, folds)


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
    seen = _pairs(solution.split(made))
    first, second = (_pairs(solution.fresh().split(frame)) for _ in range(2))
    if first == second:  # else it draws at random
        assert_value(seen, first, what="what split says of the frame after run")


@pytest.mark.criterion("edge", sheet="no-memory", hint=CALLER)
def test_predict_leaves_its_argument_alone(solution, experiment, rng):
    """Predict does not change the caller's rows, also where values are missing."""
    folds = [tuple(fold) for fold in d.brief_folds(experiment.small, 0.5)]
    run = as_run(solution.run(experiment.small, folds))
    for rows in (experiment.probe, d.with_gaps(experiment.probe, rng)):
        made = solution.make(rows)
        try:
            solution.keep.predict(run.model, made)
        except CandidateError:
            if rows is experiment.probe:
                raise
            return  # it gives such rows no score: another edge test charges that
        assert_frame(made.copy(), expected=rows, what="the caller's rows after predict")
        due = experiment.predict(run.model, rows)
        seen = row_scores(solution.predict(run.model, made), rows.index)
        what = "scores of the caller's rows after predict"
        assert_array(seen, expected=due, atol=1e-9, what=what)


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


def _other(experiment, frame, rng):
    """Other payments with the same ids, cards and times."""
    rows = d.numbers_altered(frame, frame.index.tolist(), rng, scale=1, missing=1)
    return experiment.world.with_labels(rows, rng)


@pytest.mark.criterion("edge", sheet="no-memory", hint=RUNS)
def test_run_remembers_no_call(solution, experiment, rng):
    """On other payments with the same ids run is as if nothing had been called before."""
    frame, folds = experiment.small, d.brief_folds(experiment.small, 0.5)
    other, pairs = _other(experiment, frame, rng), [tuple(fold) for fold in folds]

    def fresh(frame):
        return experiment.predict(experiment.run(frame, folds).model, experiment.probe)

    due = [fresh(other) for _ in range(2)]
    first = fresh(frame)
    seen = experiment.predict(as_run(solution.run(other, pairs)).model, experiment.probe)
    what = "scores after a run on other payments"
    if not np.allclose(seen, due[0], rtol=0, atol=1e-6):
        due += [fresh(other) for _ in range(SURE)]  # two may be alike by chance
    if all(np.allclose(one, due[0], rtol=0, atol=1e-9) for one in due):
        assert_array(seen, expected=due[0], atol=1e-6, what=what)
    elif np.array_equal(seen, first):  # it draws random numbers of its own: never the same twice
        raise AssertionError(f"{what} are those of that run")


@pytest.mark.criterion("edge", sheet="no-memory", hint=RUNS)
def test_split_remembers_no_call(solution, experiment, rng):
    """Nor does split remember a history with the same ids and cards at other times."""
    frame = experiment.frame
    halved = frame[d.TIME].min() + ((frame[d.TIME] - frame[d.TIME].min()) / 2).dt.round("min")
    early = frame[d.GROUP].isin(rng.permutation(frame[d.GROUP].unique())[::2])
    other = frame.assign(**{d.TIME: frame[d.TIME].mask(early, halved)})
    due = [_pairs(solution.fresh().split(other)) for _ in range(2)]
    solution.fresh().split(frame)
    if due[0] == due[1]:  # else it draws at random
        assert_value(_pairs(solution.split(other)), due[0], what="split after another call")
