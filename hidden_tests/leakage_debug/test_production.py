"""What production does not have cannot be used there."""

from __future__ import annotations

import data as d
import numpy as np
import pytest

from grader.judge.leakage import assert_batch_independent, assert_still, movement

FORBIDDEN = "Which column is known only after the fact?"
BATCH = "Does a payment's score depend on the other payments in the batch?"


@pytest.mark.criterion("leak_forbidden", hint=FORBIDDEN)
def test_the_column_from_the_future_does_not_matter(experiment, rng, measure, remark):
    """Scores stay when review_minutes is empty, zero or large."""
    model = experiment.run(experiment.frame, [experiment.fold]).model
    empty = experiment.predict(model, experiment.probe)
    for minutes in (0.0, rng.uniform(20, 60, len(experiment.probe))):
        rows = experiment.probe.assign(**{d.FORBIDDEN: minutes})
        assert_still(
            movement([empty], [experiment.predict(model, rows)]),
            altered="the review minutes",
            means="the model uses a column that nobody has when a payment arrives",
            measure=measure,
            remark=remark,
        )


@pytest.mark.criterion("leak_batch", hint=BATCH)
def test_a_payment_is_scored_alone(experiment, rng, measure):
    """A payment's score is the same alone, among few and in another order."""
    model = experiment.run(experiment.frame, [experiment.fold]).model
    gaps = experiment.probe.isna().sum(axis="columns").sort_values(ascending=False, kind="stable")
    rows = experiment.probe.loc[gaps.index[:240]]  # those that need filling first
    batch = experiment.predict(model, rows)
    alone = np.full(len(rows), np.nan)
    for number in (*range(14), *range(14, len(rows), 40)):
        alone[number] = experiment.predict(model, rows.iloc[[number]])[0]
    few = np.full(len(rows), np.nan)
    few[::7] = experiment.predict(model, rows.iloc[::7])
    others = d.numbers_altered(experiment.probe, experiment.probe.index.difference(rows.index), rng)
    others = d.categories_altered(others, others.index.difference(rows.index), rng)
    among = experiment.predict(model, others)[others.index.get_indexer(rows.index)]
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
