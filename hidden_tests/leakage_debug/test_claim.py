"""What is claimed is true, and says what the business needs to know."""

from __future__ import annotations

import data as d
import pytest
from experiment import as_split

from grader.judge.leakage import assert_claim_holds

TRUE = "On which rows, and from which scores, is the reported number computed?"
METRIC = "What does the reported metric say about a model that never finds a fraud?"
ALLOWED = ("average_precision", "roc_auc", "f1")


def _assert_claims(experiment, frame, run, measure):
    for fold in run.folds:
        if not frame.index.isin(fold["test_ids"]).sum() == len(fold["test_ids"]):
            raise AssertionError(
                "This cannot be measured: the reported test ids are no rows of the frame."
            )
        rows = frame.loc[fold["test_ids"]]
        scores = experiment.predict(fold["model"], d.drop_label(rows))
        labels = rows[d.LABEL].to_numpy()
        assert_claim_holds(fold["test_score"], run.metric, labels, scores, measure=measure)


@pytest.mark.criterion("claim_true", hint=TRUE)
def test_reported_scores_can_be_recomputed(experiment, measure):
    """Each reported test score is what predict reaches on the reported test rows."""
    folds = d.brief_folds(experiment.frame, 0.4, 0.6)
    run = experiment.run(experiment.frame, folds)
    _assert_claims(experiment, experiment.frame, run, measure)


@pytest.mark.criterion("claim_true", hint=TRUE)
def test_scores_of_its_own_split_can_be_recomputed(solution, experiment, measure):
    """The same holds for the folds of its own split."""
    folds = as_split(solution.split(experiment.frame))
    run = experiment.run(experiment.frame, folds)
    _assert_claims(experiment, experiment.frame, run, measure)


@pytest.mark.criterion("claim_metric", hint=METRIC)
def test_the_metric_suits_rare_frauds(experiment):
    """The reported metric is one of those that the task sheet allows."""
    run = experiment.run(experiment.small, d.brief_folds(experiment.small, 0.5))
    if run.metric not in ALLOWED:
        raise AssertionError(
            f"It reports {run.metric[:80]!r}. At 8 % fraud a model that never finds one has an "
            f"accuracy of 92 %; the task sheet allows {', '.join(ALLOWED)}."
        )
