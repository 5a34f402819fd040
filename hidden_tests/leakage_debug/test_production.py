"""What production does not have cannot be used there."""

from __future__ import annotations

import data as d
import numpy as np
import pandas as pd
import pytest

from grader.judge.errors import CandidateError
from grader.judge.leakage import Verdict, assert_batch_independent, assert_still, movement

FORBIDDEN = "Which column is known only after the fact?"
TRAINING = "What would the model be if nobody had reviewed any payment?"
BATCH = "Does a payment's score depend on the other payments in the batch?"


@pytest.mark.criterion("leak_forbidden", sheet="future-column", hint=FORBIDDEN)
def test_the_column_from_the_future_does_not_matter(experiment, rng, measure, remark):
    """Scores stay when review_minutes is empty, zero or large."""
    for model in experiment.run(experiment.frame, [experiment.fold]).models:
        empty = experiment.predict(model, experiment.probe)
        count = len(experiment.probe)
        for minutes in (0.0, rng.uniform(20, 60, count), rng.uniform(100, 10_000, count)):
            rows = experiment.probe.assign(**{d.FORBIDDEN: minutes})
            assert_still(
                movement([empty], [experiment.predict(model, rows)]),
                altered="the review minutes",
                means="the model uses a column that nobody has when a payment arrives",
                measure=measure,
                remark=remark,
            )


@pytest.mark.criterion("leak_review", sheet="past-reviews", hint=TRAINING)
def test_the_column_from_the_future_does_not_matter_in_training(experiment, rng, measure, remark):
    """Scores stay when the history has the review minutes of other payments."""
    others = experiment.frame.assign(**{d.LABEL: rng.permutation(experiment.frame[d.LABEL])})
    minutes = d.with_reviews(others, rng)[d.FORBIDDEN]
    moved = experiment.moved(experiment.answers(experiment.frame.assign(**{d.FORBIDDEN: minutes})))
    if moved.verdict is Verdict.MOVED:
        model = experiment.run(experiment.frame, [experiment.fold]).model
        rows = experiment.probe.assign(**{d.FORBIDDEN: rng.uniform(20, 60, len(experiment.probe))})
        both = (experiment.predict(model, given) for given in (experiment.probe, rows))
        if movement(*([scores] for scores in both)).verdict is Verdict.MOVED:
            return  # predict uses it, which is charged already
    assert_still(
        moved,
        altered="the review minutes of the history",
        means="the model was trained with a column that it is not to use",
        measure=measure,
        remark=remark,
    )


def _crowd(experiment):
    """Some thousand payments of other cards."""
    crowd = d.in_production(experiment.later("crowd", 170))
    return crowd.set_axis(crowd.index + 10_000_000, axis="index")


def _says_it_again(experiment, model, rows):
    """Whether a second call on the same rows gives the same scores."""
    first, second = (experiment.predict(model, rows) for _ in range(2))
    return bool(np.array_equal(first, second))


def _assert_scored_alone(experiment, model, rows, others, measure):
    batch = experiment.predict(model, rows)
    alone = np.full(len(rows), np.nan)
    for number in (*range(14), *range(14, len(rows), 40)):
        alone[number] = experiment.predict(model, rows.iloc[[number]])[0]
    few = np.full(len(rows), np.nan)
    few[::7] = experiment.predict(model, rows.iloc[::7])
    among = experiment.predict(model, pd.concat([rows, others]))[: len(rows)]
    turned = experiment.predict(model, rows.iloc[::-1])[::-1]
    assert_batch_independent(
        batch,
        {
            "one at a time": alone,
            "with fewer others": few,
            "with other payments": among,
            "in another order": turned,
        },
        measure=measure,
    )


@pytest.mark.criterion("leak_batch", sheet="scored-alone", hint=BATCH)
def test_a_payment_is_scored_alone(experiment, rng, measure, remark):
    """A payment's score is the same alone, among few or many and in another order."""
    models = experiment.run(experiment.frame, [experiment.fold]).models
    gaps = experiment.probe.isna().sum(axis="columns").sort_values(ascending=False, kind="stable")
    rows = experiment.probe.loc[gaps.index[:240]]  # those that need filling first
    rest = experiment.probe.drop(index=rows.index)
    others = d.categories_altered(d.numbers_altered(rest, rest.index, rng), rest.index, rng)
    crowd = _crowd(experiment)
    for model in models:
        if not _says_it_again(experiment, model, rows):
            remark("predict answers a second call differently, which its own check charges.")
            return
        _assert_scored_alone(experiment, model, rows, pd.concat([others, crowd]), measure)
    rows = d.with_gaps(rows.head(120), rng)
    for model in models:
        try:
            experiment.predict(model, rows)
        except CandidateError:
            continue  # it gives such rows no score: an edge test charges that
        _assert_scored_alone(experiment, model, rows, crowd, measure)
