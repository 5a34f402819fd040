"""Rows that production sends and the history did not hold."""

from __future__ import annotations

import data as d
import numpy as np
import pytest

UNSEEN = "What does predict do with a merchant that opened yesterday?"
MISSING = "Which columns can be missing in production?"
ONE = "Payments arrive one by one."


def _model(experiment):
    return experiment.run(experiment.small, d.brief_folds(experiment.small, 0.5)).model


@pytest.mark.criterion("edge", hint=UNSEEN)
def test_unseen_merchants_get_a_score(experiment):
    """Merchants, categories, channels and countries that training did not hold get a score."""
    rows = experiment.probe.head(40)
    fresh = {name: [f"new-{name}-{k % 3}" for k in range(40)] for name in d.CATEGORICAL}
    experiment.predict(_model(experiment), rows.assign(**fresh))


@pytest.mark.criterion("edge", hint=MISSING)
def test_a_batch_without_any_value_gets_scores(experiment):
    """A numeric column without any value in it gets scores."""
    model = _model(experiment)
    for name in ("amount_eur", "distance_km", "device_age_days", "credit_limit_eur"):
        experiment.predict(model, experiment.probe.head(30).assign(**{name: np.nan}))


@pytest.mark.criterion("edge", hint=MISSING)
def test_missing_categories_get_scores(experiment):
    """Rows whose merchant, channel or country is missing get scores."""
    model = _model(experiment)
    for name in ("merchant_id", "channel", "country"):
        rows = experiment.probe.head(30).copy()
        rows.loc[rows.index[::3], name] = None
        experiment.predict(model, rows)


@pytest.mark.criterion("edge", hint=ONE)
def test_one_row_gets_one_score(experiment):
    """A single payment gets a single score."""
    model = _model(experiment)
    for number in range(5):
        experiment.predict(model, experiment.probe.iloc[[number]])
