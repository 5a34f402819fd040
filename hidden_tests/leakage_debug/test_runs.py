"""The three functions are there and answer in the form that the task sheet gives."""

from __future__ import annotations

import data as d
import pytest
from experiment import as_split

HINT = "Run the sample tests: split, run and predict must answer in the form of the task sheet."


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_split_answers(solution, experiment):
    """Split gives a list of pairs of row labels."""
    as_split(solution.split(experiment.frame))


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_run_answers(experiment):
    """Run gives a dict with folds, metric and value."""
    experiment.run(experiment.small, d.brief_folds(experiment.small, 0.5))


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_predict_answers(experiment):
    """Predict gives one finite number for each raw row."""
    run = experiment.run(experiment.small, d.brief_folds(experiment.small, 0.5))
    experiment.predict(run.model, experiment.probe)
