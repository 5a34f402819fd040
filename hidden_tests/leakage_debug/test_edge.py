"""Rows that production sends and the history did not hold."""

from __future__ import annotations

import data as d
import numpy as np
import pytest

UNSEEN = "What does predict do with a merchant that opened yesterday?"
MISSING = "Which columns can be missing in production?"
ONE = "Payments arrive one by one."


def _models(experiment):
    return experiment.run(experiment.small, d.brief_folds(experiment.small, 0.5)).models


def _gappy(rows, name, gone):
    """The rows with a column's values missing in those that `gone` says."""
    return rows.assign(**{name: rows[name].mask(gone)})


@pytest.mark.criterion("edge", sheet="unseen", hint=UNSEEN)
def test_unseen_merchants_get_a_score(experiment):
    """Merchants, categories, channels and countries that training did not hold get a score."""
    rows = experiment.probe.head(40)
    fresh = {name: [f"new-{name}-{k % 3}" for k in range(40)] for name in d.CATEGORICAL}
    for model in _models(experiment):
        experiment.predict(model, rows.assign(**fresh))


@pytest.mark.criterion("edge", sheet="missing", hint=MISSING)
def test_a_batch_without_any_value_gets_scores(experiment):
    """A column without any value in it gets scores, whichever it is."""
    rows = experiment.probe.head(30)
    for model in _models(experiment):
        for name in (*d.NUMERIC, *d.CATEGORICAL):
            experiment.predict(model, _gappy(rows, name, np.full(30, True)))


@pytest.mark.criterion("edge", sheet="missing", hint=MISSING)
def test_missing_values_get_scores(experiment):
    """Rows get scores in which some numbers, merchants, channels or countries are missing."""
    rows = experiment.probe.head(30)
    for model in _models(experiment):
        for name in (*d.NUMERIC, *d.CATEGORICAL):
            experiment.predict(model, _gappy(rows, name, np.arange(30) % 3 == 0))


@pytest.mark.criterion("edge", sheet="one-row", hint=ONE)
def test_one_row_gets_one_score(experiment):
    """A single payment gets a single score, also one with a gap."""
    for model in _models(experiment):
        for number in range(5):
            experiment.predict(model, experiment.probe.iloc[[number]])
        for name in (*d.NUMERIC, *d.CATEGORICAL):
            experiment.predict(model, _gappy(experiment.probe.iloc[[7]], name, np.full(1, True)))
