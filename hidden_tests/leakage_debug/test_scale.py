"""The cost of the experiment and of a score."""

from __future__ import annotations

import data as d
import pytest
import reference

HINT = "What would be too slow with ten times the payments?"
MAX_SCORE = 60.0


def _ratio(solution, stopwatch):
    spent, own = solution.last.cpu_ns, stopwatch.cpu_ns
    if spent < 0 or own <= 0:
        spent, own = solution.last.wall_ns, stopwatch.wall_ns
    return spent / own


def _assert_below(ratio, limit, what, measure):
    measure("cost", ratio, "times the reference", limit, volatile=True)
    if ratio > limit:
        raise AssertionError(f"{what} costs more than {limit:.0f} times the reference")


@pytest.mark.criterion("solving_scale", sheet="speed", hint=HINT)
def test_scoring_keeps_up(solution, experiment, measure):
    """Scoring 20,000 payments costs a bounded multiple of the reference."""
    folds = d.brief_folds(experiment.small, 0.5)
    run = experiment.run(experiment.small, folds)
    many = d.in_production(experiment.later("many", 830))
    train = experiment.small.loc[folds[0].train_ids]
    experiment.predict(run.model, many.head(50))
    experiment.predict(run.model, many)
    with solution.stopwatch() as watch:
        reference.honest_scores(train, many)
    _assert_below(_ratio(solution, watch), MAX_SCORE, "scoring", measure)
