"""The leakage checks, each on a made-up case whose answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from grader.judge.leakage import (
    Movement,
    Verdict,
    assert_batch_independent,
    assert_chance_level,
    assert_claim_holds,
    assert_depends,
    assert_groups_apart,
    assert_rows_apart,
    assert_still,
    assert_time_order,
    holdout_gap,
    moved_state,
    movement,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES = np.linspace(0.0, 1.0, 101)
Figures = dict[str, tuple[float, str, float | None]]


class Notes:
    """Stands for the fixtures `measure` and `remark`."""

    def __init__(self) -> None:
        self.figures: Figures = {}
        self.remarks: list[str] = []

    def measure(self, name: str, value: float, unit: str, threshold: float | None = None) -> None:
        self.figures[name] = (value, unit, threshold)

    def remark(self, text: str) -> None:
        self.remarks.append(text)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def noisy(
    count: int, seed: int, *, shift: float = 0.0, noise: float = 0.05
) -> list[NDArray[np.float64]]:
    """Runs of a submission that draws random numbers; `shift` is what the change does."""
    rng = np.random.default_rng(seed)
    direction = np.where(np.arange(101) % 2, 1.0, -1.0)
    return [SCORES + shift * direction + rng.normal(0, noise, 101) for _ in range(count)]


# Movement.


def test_equal_runs_are_still() -> None:
    found = movement([SCORES, SCORES], [SCORES.copy()])

    assert found == Movement(
        Verdict.STILL,
        effect=0.0,
        rows=0,
        total=101,
        noise=0.0,
        threshold=pytest.approx(1e-6),
    )


def test_rounding_is_still() -> None:
    assert movement([SCORES], [SCORES + 1e-9]).verdict is Verdict.STILL


def test_one_row_that_moves_is_enough() -> None:
    after = SCORES.copy()
    after[7] += 1e-5

    found = movement([SCORES, SCORES], [after])

    assert (found.verdict, found.rows) == (Verdict.MOVED, 1)
    assert found.effect == pytest.approx(1e-5)


def test_the_threshold_is_relative_to_the_spread_of_the_scores() -> None:
    tiny = SCORES * 1e-6

    assert movement([tiny], [tiny * 1.01]).verdict is Verdict.MOVED
    assert movement([SCORES * 1e6], [SCORES * 1e6 + 1e-2]).verdict is Verdict.STILL


def test_a_constant_score_that_changes_has_moved() -> None:
    assert movement([np.zeros(5)], [np.full(5, 0.1)]).verdict is Verdict.MOVED


def test_one_huge_score_does_not_hide_the_others() -> None:
    """Order is all that a ranking metric sees, so the highest score may be anything."""
    before, after = SCORES.copy(), SCORES + 1e-3
    before[-1] = after[-1] = 1e12

    assert movement([before, before], [after]).verdict is Verdict.MOVED


def test_runs_with_huge_scores_that_are_equal_are_still() -> None:
    """The mean of three equal numbers of that size is another number."""
    scores = np.where(np.arange(500) % 50, np.linspace(0.0, 0.9, 500), 1e12 + 0.2)
    assert (np.mean([scores] * 3, axis=0) != scores).any()
    assert movement([scores] * 3, [scores]).verdict is Verdict.STILL


def test_an_offset_does_not_hide_a_change() -> None:
    assert movement([SCORES + 1e6], [SCORES * 1.001 + 1e6]).verdict is Verdict.MOVED


def test_noise_alone_is_inconclusive() -> None:
    verdicts = [movement(noisy(10, seed), noisy(4, 1000 + seed)).verdict for seed in range(20)]

    assert verdicts == [Verdict.INCONCLUSIVE] * 20


def test_noise_that_a_whole_run_shares_is_inconclusive() -> None:
    """The noise of a seed moves all rows of a run together."""
    rng = np.random.default_rng(3)
    runs = [SCORES + rng.normal(0, 0.2) for _ in range(14)]

    assert movement(runs[:10], runs[10:]).verdict is Verdict.INCONCLUSIVE


def test_a_change_smaller_than_the_noise_is_found_in_many_runs() -> None:
    found = movement(noisy(10, 1), noisy(4, 2, shift=0.04))

    assert found.verdict is Verdict.MOVED
    assert found.noise > found.effect > 0.0


def test_loud_noise_in_a_few_directions_does_not_hide_a_change_in_another() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(5, 101))
    runs = [SCORES + 0.5 * rng.normal(size=5) @ noise for _ in range(14)]
    leak = 0.01 * rng.normal(size=101)

    assert movement(runs[:10], runs[10:]).verdict is Verdict.INCONCLUSIVE
    assert movement(runs[:10], [run + leak for run in runs[10:]]).verdict is Verdict.MOVED


def runs_with_weights(count: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Runs of a linear model with twelve weights that are a little different each time."""
    features = np.random.default_rng(6).normal(size=(101, 12))
    return [1 / (1 + np.exp(-(features @ rng.normal(1, 0.02, 12)))) for _ in range(count)]


@pytest.mark.slow
def test_a_change_within_the_noise_of_all_weights_is_found_in_twenty_and_eight_runs() -> None:
    """Another scaler moves scores in the very directions in which the noise moves them."""
    verdicts = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        base, altered = runs_with_weights(20, rng), runs_with_weights(8, rng)
        moved = [1 / (1 + (1 / run - 1) ** 0.97) for run in altered]  # weights by 3 % smaller
        verdicts.append((movement(base, altered).verdict, movement(base, moved).verdict))

    assert verdicts == [(Verdict.INCONCLUSIVE, Verdict.MOVED)] * 10


@pytest.mark.slow
def test_chance_accuses_one_look_in_a_thousand_at_most() -> None:
    accused = 0
    for seed in range(60):
        runs = runs_with_weights(28, np.random.default_rng(seed))
        accused += movement(runs[:20], runs[20:]).verdict is Verdict.MOVED

    assert accused <= 1  # two by chance in 1 of 500 draws; these are always the same


def test_a_change_far_below_the_noise_is_inconclusive() -> None:
    found = movement(noisy(10, 1), noisy(4, 2, shift=1e-4))

    assert (found.verdict, found.tested) == (Verdict.INCONCLUSIVE, True)


def test_too_few_noisy_runs_tell_nothing() -> None:
    found = movement(noisy(2, 1), noisy(1, 2, shift=1.0))

    assert (found.verdict, found.tested) == (Verdict.INCONCLUSIVE, False)


def test_a_choice_that_falls_differently_now_and_then_is_no_change() -> None:
    """A search with folds from the clock picks one of two settings."""
    other = SCORES**2

    found = movement([SCORES] * 9 + [other], [SCORES, other, SCORES, SCORES])

    assert found.verdict is Verdict.INCONCLUSIVE


def test_altered_runs_that_are_now_and_then_as_before_are_noise() -> None:
    other = SCORES**2

    found = movement([SCORES] * 10, [SCORES, other, SCORES, SCORES])

    assert found.verdict is Verdict.INCONCLUSIVE


def test_altered_runs_that_all_differ_from_equal_ones_have_moved() -> None:
    altered = noisy(4, 3, shift=0.2, noise=0.001)

    assert movement([SCORES] * 10, altered).verdict is Verdict.MOVED


def test_altered_runs_that_differ_among_themselves_are_noise() -> None:
    assert movement([SCORES] * 5, [SCORES**2, SCORES]).verdict is Verdict.INCONCLUSIVE


# What is said about it.


def _moved(verdict: Verdict, *, tested: bool = True) -> Movement:
    return Movement(verdict, 0.25, 30, 1200, 0.01, 0.001, tested)


def test_stillness_passes_and_is_measured(notes: Notes) -> None:
    assert_still(
        _moved(Verdict.STILL),
        altered="the numbers of test rows",
        means="a statistic was learned from the test set",
        measure=notes.measure,
        remark=notes.remark,
    )

    assert notes.figures == {
        "largest change": (0.25, "score", 0.001),
        "noise floor": (0.01, "score", None),
    }
    assert notes.remarks == []


def test_movement_says_what_was_altered_how_much_moved_and_what_it_means(notes: Notes) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_still(
            _moved(Verdict.MOVED),
            altered="the numbers of test rows",
            means="a statistic was learned from the test set",
            measure=notes.measure,
            remark=notes.remark,
        )

    assert str(caught.value) == (
        "Scores of 30 of 1,200 untouched rows moved by up to 0.25 when only the numbers of test "
        "rows were altered: a statistic was learned from the test set."
    )


def test_an_inconclusive_check_passes_and_tells_the_reviewer(notes: Notes) -> None:
    assert_still(
        _moved(Verdict.INCONCLUSIVE),
        altered="the labels of test rows",
        means="",
        measure=notes.measure,
        remark=notes.remark,
    )

    assert len(notes.remarks) == 1
    assert notes.remarks[0].startswith("Inconclusive: runs on the same data differ by up to 0.01")
    assert "whether the labels of test rows matter. It costs nothing" in notes.remarks[0]


def test_a_model_that_depends_on_training_rows_passes(notes: Notes) -> None:
    assert_depends(_moved(Verdict.MOVED), measure=notes.measure)

    assert notes.figures == {"change by other training rows": (0.25, "score", None)}


def test_a_model_that_ignores_its_training_rows_cannot_be_measured(notes: Notes) -> None:
    with pytest.raises(AssertionError, match=r"This cannot be measured: .* not learned from"):
        assert_depends(_moved(Verdict.STILL), measure=notes.measure)


def test_noise_that_drowns_all_learning_cannot_be_measured(notes: Notes) -> None:
    with pytest.raises(AssertionError, match=r"This cannot be measured: .* drowns in random"):
        assert_depends(_moved(Verdict.INCONCLUSIVE), measure=notes.measure)


def test_noise_in_too_few_runs_accuses_nobody(notes: Notes) -> None:
    assert_depends(_moved(Verdict.INCONCLUSIVE, tested=False), measure=notes.measure)


# The batch.


def test_the_same_scores_however_they_are_asked_for(notes: Notes) -> None:
    alone = np.full(101, np.nan)
    alone[:5] = SCORES[:5]

    assert_batch_independent(SCORES, {"one at a time": alone}, measure=notes.measure)

    assert notes.figures["largest change"][0] == 0.0


def test_the_worst_way_of_asking_is_named(notes: Notes) -> None:
    alone = np.full(101, np.nan)
    alone[:4] = SCORES[:4] + np.array([0.0, 0.1, 0.3, 0.0])
    turned = SCORES + 0.01

    with pytest.raises(AssertionError) as caught:
        assert_batch_independent(
            SCORES, {"in another order": turned, "one at a time": alone}, measure=notes.measure
        )

    assert str(caught.value).startswith(
        "The scores of 2 of 4 rows change by up to 0.3 when they are scored one at a time"
    )


def test_one_huge_score_does_not_hide_a_dependence_on_the_batch(notes: Notes) -> None:
    batch, turned = SCORES.copy(), SCORES + 0.01
    batch[-1] = turned[-1] = 1e12

    with pytest.raises(AssertionError, match=r"of 101 rows change by up to 0\.01"):
        assert_batch_independent(batch, {"in another order": turned}, measure=notes.measure)


def test_single_precision_is_no_dependence_on_the_batch(notes: Notes) -> None:
    batch = (0.9 + 0.1 * SCORES).astype("float32").astype("float64")
    alone = np.nextafter(batch.astype("float32"), np.float32(2)).astype("float64")

    assert_batch_independent(batch, {"one at a time": alone}, measure=notes.measure)


# The claim.

LABELS = np.array([0, 0, 1, 0, 1, 1])
RANKED = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.9])


def test_a_true_claim_holds(notes: Notes) -> None:
    value = 1 / 3 * (1 + 1 + 3 / 4)

    assert_claim_holds(value, "average_precision", LABELS, RANKED, measure=notes.measure)

    assert notes.figures["recomputed"][0] == pytest.approx(value)


@pytest.mark.parametrize("claimed", [0.99, 0.91667, float("nan")])
def test_another_claim_does_not(claimed: float, notes: Notes) -> None:
    with pytest.raises(AssertionError, match=r"but the model scores 0\.916667 on them"):
        assert_claim_holds(claimed, "average_precision", LABELS, RANKED, measure=notes.measure)


def test_a_metric_that_nobody_knows_is_no_claim(notes: Notes) -> None:
    with pytest.raises(AssertionError, match="the metric is called 'gini'"):
        assert_claim_holds(0.5, "gini", LABELS, RANKED, measure=notes.measure)


def test_the_gap_is_counted_in_standard_errors() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.uniform(size=600) < 0.2).astype("int64")
    scores = labels + rng.normal(0, 1, 600)
    groups = np.arange(600) // 6

    true, none = holdout_gap(
        0.0, "roc_auc", labels, scores, groups=groups, rng=np.random.default_rng(1)
    )
    _, gap = holdout_gap(
        true + 0.2, "roc_auc", labels, scores, groups=groups, rng=np.random.default_rng(1)
    )

    assert 0.7 < true < 0.8
    assert none < -10
    assert 4 < gap < 14


def test_a_gap_without_an_error_is_none() -> None:
    labels = np.array([0, 1] * 4)

    assert holdout_gap(
        1.0,
        "roc_auc",
        labels,
        labels.astype(float),
        groups=np.zeros(8),
        rng=np.random.default_rng(0),
    ) == (1.0, 0.0)


# Chance.


def _shuffled(positives: int, rows: int = 1000) -> NDArray[np.int64]:
    return np.random.default_rng(5).permutation(np.arange(rows) < positives).astype("int64")


def test_random_scores_are_at_chance(notes: Notes) -> None:
    labels = _shuffled(80)
    for seed in range(30):
        scores = np.random.default_rng(seed).uniform(size=1000)
        assert_chance_level(labels, scores, measure=notes.measure)


@pytest.mark.parametrize("score", [0.0, 0.5])
def test_one_score_for_all_rows_is_at_chance(score: float, notes: Notes) -> None:
    assert_chance_level(_shuffled(12), np.full(1000, score), measure=notes.measure)


def test_scores_that_know_shuffled_labels_are_not(notes: Notes) -> None:
    labels = _shuffled(80)
    scores = 0.3 * labels + np.random.default_rng(1).uniform(size=1000)

    with pytest.raises(AssertionError, match=r"With the labels shuffled .* where chance is 0\.08"):
        assert_chance_level(labels, scores, measure=notes.measure)


# The split.

ROWS = pd.Index([11, 12, 13, 14, 15, 16])


def test_rows_on_one_side_each_are_fine() -> None:
    assert_rows_apart([([11, 12], [13]), ([11, 12, 13], [14, 15])], ROWS)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (([0, 1, 11], [13]), "Fold 1: 2 of 3 train ids are no row labels"),
        (([11], [13, 99]), "Fold 1: 1 of 2 test ids are no row labels"),
        (([11, 11, 12], [13]), "Fold 1: 1 train ids occur more than once"),
        (([11], [13, 13, 13]), "Fold 1: 2 test ids occur more than once"),
        (([11, 12], [12, 13]), "Fold 1: 1 rows are in train and in test"),
    ],
)
def test_rows_that_are_not_apart(fold: tuple[list[int], list[int]], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_rows_apart([fold], ROWS)


def test_the_fold_that_is_wrong_is_named() -> None:
    with pytest.raises(AssertionError, match="Fold 2"):
        assert_rows_apart([([11], [12]), ([11], [11])], ROWS)


CARDS = pd.Series(["a", "a", "b", "b", "c", "d"], index=ROWS)


def test_groups_on_one_side_each_are_fine() -> None:
    assert_groups_apart([([11, 12], [13, 14]), ([11, 13], [15, 16])], CARDS, "cards")


def test_a_shared_group_is_counted_and_named() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_groups_apart([([11, 13], [12, 14, 15])], CARDS, "cards")

    assert str(caught.value) == (
        "Fold 1: 2 of 3 cards in test have rows in train as well. In production all cards are "
        "new, so this test is too easy."
    )


TIMES = pd.Series(pd.date_range("2024-01-01", periods=6, freq="D"), index=ROWS)


def test_train_before_test_is_fine() -> None:
    assert_time_order([([11, 12], [13, 16]), ([12, 11, 13], [15, 14])], TIMES)


@pytest.mark.parametrize(("train", "late"), [([11, 14], 1), ([11, 13], 1), ([15, 16, 14], 3)])
def test_training_rows_at_or_after_the_first_test_row_are_late(train: list[int], late: int) -> None:
    with pytest.raises(AssertionError, match=f"Fold 1: {late} of {len(train)} training rows"):
        assert_time_order([(train, [13])], TIMES)


# Fitted numbers.


def _state(**numbers: object) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(value, dtype="float64") for name, value in numbers.items()}


def test_a_number_that_moves_with_the_change_is_named() -> None:
    before = _state(mean_=[1.0, 2.0], scale_=[1.0, 1.0])
    after = _state(mean_=[1.0, 2.1], scale_=[1.0, 1.0])

    assert moved_state([before, before], [after]) == ["mean_"]


def test_rounding_moves_no_number() -> None:
    assert moved_state([_state(mean_=[1.0])], [_state(mean_=[1.0 + 1e-8])]) == []


def test_missing_values_in_their_places_are_equal() -> None:
    state = _state(mean_=[np.nan, 1.0])

    assert moved_state([state, state], [state]) == []


def test_another_size_has_moved() -> None:
    before = _state(quantiles_=[1.0, 2.0])

    assert moved_state([before], [_state(quantiles_=[1.0, 2.0, 3.0])]) == ["quantiles_"]


def test_another_order_says_nothing() -> None:
    assert moved_state([_state(mean_=[1.0, 2.0])], [_state(mean_=[2.0, 1.0])]) == []


@pytest.mark.parametrize("name", ["categories_", "test_mean", "notes", "coef_", "best_score_"])
def test_only_what_transformers_learn_of_columns_accuses(name: str) -> None:
    assert moved_state([_state(**{name: [1.0]})], [_state(**{name: [2.0]})]) == []


def test_numbers_that_move_by_themselves_accuse_nobody() -> None:
    base = [_state(mean_=[1.0]), _state(mean_=[1.1])]

    assert moved_state(base, [_state(mean_=[3.0])]) == []


def test_a_number_that_one_altered_run_leaves_alone_is_chance() -> None:
    base = [_state(mean_=[1.0])] * 5

    assert moved_state(base, [_state(mean_=[2.0]), _state(mean_=[1.0])]) == []


def test_a_number_that_is_not_in_all_runs_is_left_out() -> None:
    base = [_state(scale_=[1.0]), _state()]

    assert moved_state(base, [_state(scale_=[2.0])]) == []
    assert moved_state([_state(scale_=[1.0])], [_state(mean_=[2.0])]) == []
