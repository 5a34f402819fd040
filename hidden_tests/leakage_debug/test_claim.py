"""What is claimed is true, and says what the business needs to know."""

from __future__ import annotations

import functools

import data as d
import numpy as np
import pytest
from experiment import as_split

from grader.judge.compare import assert_value
from grader.judge.leakage import assert_claim_holds
from grader.judge.metrics import bootstrap_error

TRUE = "On which rows, and from which scores, is the reported number computed?"
CHOSEN = "Are the test rows those that the review team will see, in the same mix?"
METRIC = "What does the reported metric say about a model that never finds a fraud?"
GAPPY = ["amount_eur", "distance_km", "device_age_days", "credit_limit_eur"]
OF_CARDS = ("card_age_days", "credit_limit_eur")
SURE = 5  # standard errors by which a test set may differ from what it was taken from
ALLOWED = ("average_precision", "roc_auc", "f1")


def _assert_claims(experiment, frame, run, folds, measure):
    """Hold that all scores, and their mean, are what predict reaches on the given rows."""
    for fold, given in zip(run.folds, folds, strict=False):
        ids = list(given.test_ids)
        if frame.index.isin(ids).sum() != len(ids):
            raise AssertionError("This cannot be measured: the test ids are no rows of the frame.")
        rows = frame.loc[ids]
        scores = experiment.predict(fold["model"], d.drop_label(rows))
        labels = rows[d.LABEL].to_numpy()
        assert_claim_holds(fold["test_score"], run.metric, labels, scores, measure=measure)
    scores = [fold["test_score"] for fold in run.folds]
    assert_value(
        run.value, sum(scores) / len(scores), atol=1e-6, numbers_interchangeable=True, what="value"
    )


@pytest.mark.criterion("claim_true", sheet="true-score", hint=TRUE)
def test_reported_scores_can_be_recomputed(experiment, measure):
    """Each reported test score is what predict reaches on the reported test rows."""
    folds = d.brief_folds(experiment.frame, 0.35, 0.5, 0.65)
    run = experiment.run(experiment.frame, folds)
    _assert_claims(experiment, experiment.frame, run, folds, measure)


@pytest.mark.criterion("claim_true", sheet="true-score", hint=TRUE)
def test_scores_of_its_own_split_can_be_recomputed(solution, experiment, measure):
    """The same holds for the folds of its own split."""
    folds = as_split(solution.split(experiment.frame))
    run = experiment.run(experiment.frame, folds)
    _assert_claims(experiment, experiment.frame, run, folds, measure)


def _eligible(frame, fold):
    """Rows of the test set's time and of cards that are not trained on, and which were taken."""
    known = frame[d.GROUP].isin(frame.loc[frame.index.isin(fold.train_ids), d.GROUP])
    taken = frame.index.isin(fold.test_ids)
    times = frame.loc[taken, d.TIME]
    inside = frame[d.TIME].between(times.min(), times.max()) & ~known
    return frame[inside], taken[inside]


def _assert_like(what, values, taken, error_of, measure):
    """Hold that a share among the rows taken is that among all, give or take chance."""

    def difference(rows):
        chosen = values[rows][taken[rows]]
        return chosen.mean() - values[rows].mean() if len(chosen) else 0.0

    found = difference(np.arange(len(values)))
    error = error_of(difference)
    measure(f"{what} in test, minus where it was taken from", found, "", SURE * error)
    if abs(found) > max(SURE * error, 0.02):
        raise AssertionError(
            f"{what}: {values[taken].mean():.1%} of the test rows, {values.mean():.1%} of the "
            "payments of the same cards and time. Test rows were chosen by what they hold, so the "
            "reported number is that of another business."
        )


@pytest.mark.criterion("claim_true", sheet="whole-test", hint=CHOSEN)
def test_test_rows_are_not_chosen_by_what_they_hold(solution, experiment, rng, measure):
    """Rows are left out of the test set by card and time, not by label or content."""
    frame = experiment.frame
    for fold in as_split(solution.split(frame)):
        rows, taken = _eligible(frame, fold)
        labels = rows[d.LABEL].to_numpy()
        if taken.sum() < 50 or not 0 < labels.sum() < len(labels):
            continue  # a split by rows or cards alone, which costs its own criterion
        cards = rows[d.GROUP].to_numpy()
        error_of = functools.partial(bootstrap_error, labels=labels, groups=cards, rng=rng)
        for what, values in (
            ("frauds", labels == 1),
            ("rows with a gap", rows[GAPPY].isna().any(axis="columns").to_numpy()),
        ):
            _assert_like(what, values, taken, error_of, measure)


def _assert_same_folds(solution, frame, others, means, remark):
    """Hold that split chooses the same rows of frames that differ in what must not matter."""
    first = as_split(solution.split(frame))
    if first != as_split(solution.fresh().split(frame)):
        remark("Inconclusive: split draws at random, so nothing can be said of what moves it.")
        return
    for other in others:
        if as_split(solution.fresh().split(other)) != first:
            raise AssertionError(means)


@pytest.mark.criterion("claim_true", sheet="whole-test", hint=CHOSEN)
def test_split_does_not_look_at_labels(solution, experiment, rng, remark):
    """With other labels, split gives the same folds."""
    frame = experiment.frame
    means = (
        "With other labels split chooses other rows. A cut, a seed or rows chosen by labels or by "
        "a score make the test set an easier one than the team will see."
    )
    others = (d.labels_shuffled(frame, rng) for _ in range(3))
    _assert_same_folds(solution, frame, others, means, remark)


@pytest.mark.criterion("claim_true", sheet="whole-test", hint=CHOSEN)
def test_split_looks_at_cards_and_times_only(solution, experiment, rng, remark):
    """With other amounts, merchants and reviews of the same cards, split gives the same folds."""
    frame, ids = experiment.frame, experiment.frame.index.tolist()
    other = d.categories_altered(d.measures_altered(frame, ids, rng), ids, rng)
    other = other.assign(**{name: frame[name] for name in (d.TIME, *OF_CARDS)})
    means = (
        "With other amounts, merchants and reviews split chooses other rows. Rows are left out by "
        "card and time only: the team has to look at the others as well."
    )
    _assert_same_folds(solution, frame, [other], means, remark)


@pytest.mark.criterion("claim_metric", sheet="metric", hint=METRIC)
def test_the_metric_suits_rare_frauds(experiment):
    """The reported metric is one of those that the task sheet allows."""
    run = experiment.run(experiment.small, d.brief_folds(experiment.small, 0.5))
    if run.metric not in ALLOWED:
        raise AssertionError(
            f"It reports {run.metric[:80]!r}. At 8 % fraud a model that never finds one has an "
            f"accuracy of 92 %; the task sheet allows {', '.join(ALLOWED)}."
        )
