"""Labels of test rows reach neither the model nor the features."""

from __future__ import annotations

import data as d
import pytest

from grader.judge.leakage import assert_chance_level, assert_depends, assert_still

HINT = "Where do the labels of test rows go before the score is computed?"
MEANS = "the model, its features or its settings were chosen with the labels of the test set"


@pytest.mark.criterion("leak_labels", sheet="test-labels", hint=HINT)
def test_other_labels_of_test_rows_do_not_matter(experiment, rng, measure, remark):
    """Scores of untouched payments stay when the labels of test rows are drawn again."""
    ids = experiment.outside
    frame = experiment.frame.copy()
    frame.loc[ids, d.LABEL] = experiment.world.with_labels(frame.loc[ids], rng)[d.LABEL]
    after = experiment.answers(frame)
    assert_depends(experiment.power, measure=measure)
    altered = "the labels of rows outside training"
    assert_still(
        experiment.moved(after), altered=altered, means=MEANS, measure=measure, remark=remark
    )
    experiment.assert_state_still(after, altered)


@pytest.mark.criterion("leak_labels", sheet="test-labels", hint=HINT)
def test_opposite_labels_of_test_rows_do_not_matter(solution, experiment, measure, remark):
    """Scores stay when the test rows that the model likes least are made the frauds."""
    solution.keep.split(experiment.frame)  # the runs may be known from an earlier test
    assert_depends(experiment.power, measure=measure)
    assert_still(
        experiment.opposed,
        altered="the labels of test rows",
        means=MEANS,
        measure=measure,
        remark=remark,
    )


@pytest.mark.criterion("leak_labels", sheet="test-labels", hint=HINT)
def test_labels_of_test_rows_choose_nothing(experiment, rng, measure, remark):
    """With the same random numbers the model is the same whatever labels test rows have."""
    frame, ids = experiment.frame, experiment.outside
    columns = ("country", "merchant_category", "channel")
    frames = [d.labels_gathered(frame, ids, column, rng) for column in columns]
    if experiment.run(frame, [experiment.fold]).final_model is None:  # it may be fitted first
        labels = frame[d.LABEL]
        turned = labels.mask(frame.index.isin(ids), 1 - labels)
        frames.insert(0, frame.assign(**{d.LABEL: turned}))
    moved = experiment.with_same_numbers(frames)
    if moved is None:
        remark("Runs differ with the same random numbers, so that this shows nothing.")
        return
    assert_still(
        moved,
        altered="the labels of rows outside training",
        means=MEANS,
        measure=measure,
        remark=remark,
    )


@pytest.mark.criterion("leak_labels", sheet="test-labels", hint=HINT)
def test_nothing_is_found_where_there_is_nothing(experiment, rng, measure):
    """With labels shuffled among cards the model does no better than chance on test rows."""
    frame = d.labels_shuffled(experiment.frame, rng)
    run = experiment.run(frame, [experiment.fold])
    rows = frame.loc[experiment.fold.test_ids]
    labels = rows[d.LABEL].to_numpy()
    scores = experiment.predict(run.model, d.drop_label(rows))
    assert_chance_level(labels, scores, measure=measure)
