"""What the model is worth on later, unseen cards, whose labels only the judge has."""

from __future__ import annotations

import functools

import data as d
import pytest
import reference

from grader.judge.leakage import holdout_gap
from grader.judge.metrics import (
    KNOWN_METRICS,
    average_precision,
    bootstrap_error,
    recall_at_share,
)

HINT = "How would the model do on next month's payments of new cards?"
SHARE = 0.5  # of what an ordinary honest model reaches; a constant score reaches a quarter
NOISE = 2  # standard errors by which it may be missed
BUDGET = 0.05  # of all payments can be looked at


class _Trial:
    """A submission and the yardstick on one hold-out."""

    def __init__(self, experiment, name, cards, later):
        world = d.World.draw(experiment.rng_for(f"{name} world"))
        self.frame = world.payments(experiment.rng_for(f"{name} frame"), cards)
        self.fold = d.brief_folds(self.frame, 0.7)[0]
        rng = experiment.rng_for(f"{name} later")
        self.later = world.payments(rng, later, begin=d.DAYS, days=90)
        self.labels = self.later[d.LABEL].to_numpy()
        self.run = experiment.run(self.frame, [self.fold])
        model = self.run.model if self.run.final_model is None else self.run.final_model
        self.scores = experiment.predict(model, d.in_production(self.later))
        self.honest = reference.honest_scores(self.frame.loc[self.fold.train_ids], self.later)
        self.draws = experiment.rng_for(f"{name} draws")

    def assert_share(self, metric, what, measure):
        """Hold that the submission reaches its share, or misses it by no more than noise."""
        value, honest = (metric(self.labels, scores) for scores in (self.scores, self.honest))
        measure(what, value, "", SHARE * honest, better="high")
        measure(f"{what} of an ordinary honest model", honest, "")
        missing = SHARE * honest - value
        if missing <= 0:
            return
        error = bootstrap_error(self._missing(metric), self.labels, self._cards(), self.draws)
        measure(f"missing {what}", missing / max(error, 1e-9), "standard errors", NOISE)
        if missing > NOISE * error:
            raise AssertionError(
                f"On {what} it reaches {value:.3f} for later payments of new cards; an ordinary "
                f"honest model reaches {honest:.3f}, and {SHARE:.0%} of that is asked for. By "
                f"chance such cards differ by about {error:.3f}."
            )

    def _cards(self):
        return self.later[d.GROUP].to_numpy()

    def _missing(self, metric):
        def missing(rows):
            labels = self.labels[rows]
            return SHARE * metric(labels, self.honest[rows]) - metric(labels, self.scores[rows])

        return missing


@pytest.mark.criterion("core", sheet="new-month", hint=HINT)
def test_it_finds_frauds_of_new_cards(experiment, rng, measure, remark):
    """Average precision on later payments of new cards is near that of an honest model."""
    trial = _Trial(experiment, "holdout", 260, 170)
    run = trial.run
    if run.metric in KNOWN_METRICS:
        value = run.value
        groups = trial.later[d.GROUP].to_numpy()
        true, gap = holdout_gap(
            value, run.metric, trial.labels, trial.scores, groups=groups, rng=rng
        )
        measure(f"claimed {run.metric}", value, "")
        measure(f"{run.metric} on later cards", true, "")
        measure("gap", gap, "standard errors")
        if gap > 3:
            remark(
                f"It claims {run.metric} {value:.2f}; on later payments of new cards the model "
                f"reaches {true:.2f}, {gap:.0f} standard errors less."
            )
    trial.assert_share(average_precision, "average precision", measure)


@pytest.mark.criterion("core", sheet="review-budget", hint=HINT)
def test_the_review_team_sees_frauds_first(experiment, measure):
    """Among the 5 % of payments that can be looked at are about as many frauds."""
    trial = _Trial(experiment, "budget", 200, 150)
    trial.assert_share(
        functools.partial(recall_at_share, share=BUDGET),
        "share of the frauds among the 5 % highest scores",
        measure,
    )


@pytest.mark.criterion("core", sheet="other-market", hint=HINT)
def test_it_works_in_another_market_too(experiment, measure):
    """The same holds where other merchants are risky."""
    trial = _Trial(experiment, "market", 200, 150)
    trial.assert_share(average_precision, "average precision", measure)
