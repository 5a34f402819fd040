from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from grader.judge.calibration import (
    expected_calibration_error,
    macro_f1,
    measure_reliability,
    measure_slices,
    reliability_bins,
    slice_accuracy,
)


def test_bins_hold_their_edges_and_leave_out_empty_ones() -> None:
    confidence = np.array([0.0, 0.1, 0.19, 0.95, 1.0])
    right = np.array([False, True, False, True, True])

    found = reliability_bins(confidence, right)

    assert [(b.low, b.high, b.count) for b in found] == [
        (0.0, 0.1, 1),
        (0.1, 0.2, 2),
        (0.9, 1.0, 2),
    ]
    assert found[1].accuracy == pytest.approx(0.5)
    assert found[2].confidence == pytest.approx(0.975)


def test_the_error_is_the_weighted_gap() -> None:
    confidence = np.array([0.9] * 8 + [0.3] * 2)
    right = np.array([True] * 6 + [False] * 2 + [False] * 2)

    error = expected_calibration_error(reliability_bins(confidence, right))

    assert error == pytest.approx(0.8 * 0.15 + 0.2 * 0.3)


def test_a_calibrated_model_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    right = rng.random(20_000) < confidence

    assert expected_calibration_error(reliability_bins(confidence, right)) < 0.02
    assert expected_calibration_error([]) == 0.0


@pytest.mark.parametrize("odd", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_confidence_must_be_a_share(odd: float) -> None:
    with pytest.raises(AssertionError, match="between 0 and 1"):
        reliability_bins(np.array([0.5, odd]), np.array([True, True]))


def test_a_confidence_for_each_answer() -> None:
    with pytest.raises(AssertionError, match="2 confidences for 1 answers"):
        reliability_bins(np.array([0.5, 0.5]), np.array([True]))


def test_macro_f1_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    truth = [str(label) for label in rng.choice(list("abcd"), size=200)]
    answered = [str(label) for label in rng.choice(list("abcd"), size=200)]

    assert macro_f1(truth, answered) == pytest.approx(f1_score(truth, answered, average="macro"))
    assert macro_f1(["a", "b"], ["a", "z"]) == pytest.approx(0.5)  # z is no label of the truth


def test_accuracy_of_slices() -> None:
    right = np.array([True, False, True])

    assert slice_accuracy(right, ["x", "x", "y"]) == {"x": 0.5, "y": 1.0}


def test_series_are_recorded_with_their_marks() -> None:
    told: list[tuple[object, ...]] = []

    def record(*values: object) -> None:
        told.append(values)

    measure_reliability(record, reliability_bins(np.array([0.25]), np.array([True])))
    measure_slices(record, "accuracy", {"x": 0.5}, {"x": 0.4})

    assert told == [
        ("reliability[confidence 0.2-0.3, n=1]", 1.0, "share right", 0.25),
        ("accuracy[x]", 0.5, "share right", 0.4),
    ]
