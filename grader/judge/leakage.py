"""Leakage checks: does information that must not reach a model reach it?

Scores cannot answer that: a scaler fitted on all rows moves the average precision by thousandths.
*Non-interference* can, and exactly: alter what must not matter, run again in a process that has
seen nothing, and hold that the answers on untouched rows stay as they were. Each check takes arrays
that the judge got from `predict` and knows nothing of how the candidate works, so any honest way of
working passes.

A submission may draw random numbers of its own. So runs on altered input are read against several
runs on the input as it was. Where all runs on one input agree, any change counts. Where they do
not, a permutation test over repeated runs decides; what it cannot tell is *inconclusive*: it costs
nothing, and the reviewer is told. Noise that hides even what altered *training* rows do fails.

The taxonomy of leaks is that of Kapoor and Narayanan, "Leakage and the reproducibility crisis in
machine-learning-based science", Patterns 4 (2023).
"""

from __future__ import annotations

import enum
import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from grader.judge.metrics import bootstrap_error, recompute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]
    Folds = Sequence[tuple[list[Any], list[Any]]]  # labels of train rows, of test rows

__all__ = [
    "Movement",
    "Verdict",
    "assert_batch_independent",
    "assert_chance_level",
    "assert_claim_holds",
    "assert_depends",
    "assert_groups_apart",
    "assert_rows_apart",
    "assert_still",
    "assert_time_order",
    "holdout_gap",
    "moved_state",
    "movement",
]

_RELATIVE = 1e-6  # of the scores' spread: far above rounding, far below any statistic
_RELATIVE_SINGLE = 1e-4  # the same in single precision, where one call may round unlike another
_MAX_GROUPINGS = 2_000  # of runs, that a permutation test looks at; drawn where there are more
_MIN_GROUPINGS = 1_000  # so that one look accuses by chance in one of 1,000 checks at most
_RIDGES = (1e-9, 1e-3)  # of the scatter: for a leak beside loud noise, and for one within it
# What scikit-learn's scalers, imputers, encoders and discretizers learn of columns.
_STATISTIC = re.compile(
    r"\b(mean_|var_|scale_|center_|statistics_|data_min_|data_max_|data_range_|min_|quantiles_|"
    r"bin_edges_|lambdas_|encodings_|target_mean_|n_samples_seen_)(\W|$)"
)


class Verdict(enum.StrEnum):
    """What a pair of runs says."""

    STILL = "still"
    MOVED = "moved"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Movement:
    """How far scores moved between two runs.

    Attributes:
        effect: largest absolute change of a row's score.
        rows: rows that moved by more than `threshold`.
        total: rows compared.
        noise: largest absolute change between runs on the same input.
        threshold: what counts as a change.
        tested: there were runs enough to tell noise from change.
    """

    verdict: Verdict
    effect: float
    rows: int
    total: int
    noise: float
    threshold: float
    tested: bool = True


def movement(base: Sequence[Scores], altered: Sequence[Scores]) -> Movement:
    """Compare runs on altered input with runs on the input as it was.

    A submission without randomness of its own gives the same scores in all runs on one input, and
    then any change above rounding counts. For one with randomness, runs on both inputs have the
    same distribution if the change does not matter, so that every way to call four of fourteen runs
    the altered ones is as likely. It moved when one in 1,000 ways at most sets the two groups as
    far apart as the true one does (a permutation test, exact where all ways are looked at: Fisher,
    "The Design of Experiments", 1935; Pesarin and Salmaso, "Permutation Tests for Complex Data",
    2010), whatever the noise is like.

    Args:
        base: scores of each run on the input as it was, shape ``(rows,)`` each.
        altered: scores of each run on altered input, shape ``(rows,)`` each.

    False alarms: none without randomness; with it, one in 1,000 looks, for which there must be
    1,000 ways to group the runs (10 and 4 runs have 1,001; of more than 2,000, 2,000 are drawn).
    Misses: an effect on no probed row, or one that its own noise hides (inconclusive).
    """
    first, others = base[0], np.stack([*base[1:], base[0]])
    rounding = _RELATIVE * _spread(first)
    floor = float(np.abs(others - first).max())
    among = float(np.abs(np.stack(altered) - altered[0]).max())
    if max(floor, among) <= rounding:
        change = np.abs(altered[0] - first)  # a mean of huge scores is rounded itself
        count = int((change > rounding).sum())
        verdict = Verdict.MOVED if count else Verdict.STILL
        return Movement(verdict, float(change.max()), count, len(change), floor, rounding)
    change = np.abs(np.mean(altered, axis=0) - np.mean(base, axis=0))
    floor = max(floor, among)
    groupings = math.comb(len(base) + len(altered), len(altered))
    tested = groupings >= _MIN_GROUPINGS
    loud = tested and _stands_apart(base, altered)
    verdict = Verdict.MOVED if loud else Verdict.INCONCLUSIVE
    count = int((change > rounding).sum())
    return Movement(verdict, float(change.max()), count, len(change), floor, floor, tested)


def _spread(scores: Scores) -> float:
    """How far scores spread: the median gap between neighbours, times their number.

    A standard deviation could be blown up by one huge score, which would hide all others.
    """
    gaps = np.diff(np.unique(scores))
    return float(np.median(gaps)) * len(gaps) if len(gaps) else 1e-12


def _stands_apart(base: Sequence[Scores], altered: Sequence[Scores]) -> bool:
    """Whether one in 1,000 groupings of all runs at most has groups as far apart as the true one.

    Far apart is Hotelling's T-squared with a ridge (Chen, Paul, Prentice and Wang, "A Regularized
    Hotelling's T-squared Test", JASA 106, 2011), the product of it with a small and a large one.
    Noise on a few weights moves scores in a few directions only; with a small ridge a leak is seen
    in the others, however loud that noise, and with a large one among them.
    """
    runs, size = np.stack([*base, *altered]), len(altered)
    spread = runs.std(axis=0)
    loud = spread > 0
    scaled = (runs[:, loud] - runs[:, loud].mean(axis=0)) / spread[loud]
    inner = scaled @ scaled.T
    groups = _groupings(len(runs), size)
    parts = np.array_split(groups, len(groups) // 200)
    apart = np.concatenate([_distances(inner, some) for some in parts])
    as_far = int((apart >= apart[-1] - 1e-9).sum())  # the true one is among them
    return as_far * _MIN_GROUPINGS <= len(groups)


def _groupings(runs: int, size: int) -> NDArray[np.bool_]:
    """Which runs are in the group, a row for each grouping; the last one has the last runs."""
    if math.comb(runs, size) <= _MAX_GROUPINGS:
        chosen = np.array(list(itertools.combinations(range(runs), size)))
    else:
        rng = np.random.default_rng(0)
        every = np.tile(np.arange(runs), (_MAX_GROUPINGS, 1))
        chosen = rng.permuted(every, axis=1)[:, :size]
        chosen[-1] = np.arange(runs - size, runs)
    groups = np.zeros((len(chosen), runs), dtype=bool)
    np.put_along_axis(groups, chosen, values=True, axis=1)
    return groups


def _distances(inner: Scores, groups: NDArray[np.bool_]) -> Scores:
    """How far apart each grouping's two means are, against the scatter within both.

    Args:
        inner: inner products of the runs, shape ``(runs, runs)``.
        groups: shape ``(groupings, runs)``.

    Returns:
        Sum of the logarithms of T-squared with each of `_RIDGES`, up to a constant.
    """
    shares = groups / groups.sum(axis=1, keepdims=True)
    others = ~groups / (~groups).sum(axis=1, keepdims=True)
    centre = np.eye(len(inner)) - (
        shares[:, :, None] * groups[:, None, :] + others[:, :, None] * ~groups[:, None, :]
    )
    between = (shares - others) @ inner
    squared = (between * (shares - others)).sum(axis=1)
    within, along = centre @ inner @ centre, centre @ between[:, :, None]
    found = np.zeros(len(groups))
    for ridge in np.array(_RIDGES) * np.trace(inner):
        solved = np.linalg.solve(within + ridge * np.eye(len(inner)), along)
        found += np.log(np.maximum(squared - (along * solved).sum(axis=(1, 2)), 1e-300))
    return found


def assert_still(
    moved: Movement,
    *,
    altered: str,
    means: str,
    measure: Callable[..., None],
    remark: Callable[[str], None],
) -> None:
    """Hold that scores of untouched rows did not move (non-interference).

    Args:
        moved: what `movement` found.
        altered: what alone was altered, for the message: "the numbers of test rows".
        means: what it means when they moved: "a statistic was learned from the test set".
        measure: the ``measure`` fixture.
        remark: the ``remark`` fixture, told when the check is inconclusive.

    Raises:
        AssertionError: they moved; says how many, how far, and what that means.
    """
    measure("largest change", moved.effect, "score", moved.threshold)
    measure("noise floor", moved.noise, "score")
    if moved.verdict is Verdict.INCONCLUSIVE:
        remark(
            f"Inconclusive: runs on the same data differ by up to {moved.noise:.2g} by "
            f"themselves, which hides whether {altered} matter. It costs nothing; look at where "
            "the randomness comes from."
        )
    if moved.verdict is Verdict.MOVED:
        raise AssertionError(
            f"Scores of {moved.rows:,} of {moved.total:,} untouched rows moved by up to "
            f"{moved.effect:.2g} when only {altered} were altered: {means}."
        )


def assert_depends(moved: Movement, *, measure: Callable[..., None]) -> None:
    """Power control: hold that altered *training* rows change the model.

    A cached, constant or shipped model passes every non-interference check. Where nothing moves
    here, those checks show nothing, and fail with this cause. The same holds where noise drowns
    even this: an honest forest without a seed changes more by other training rows than by chance.

    Raises:
        AssertionError: the scores are the same although the training rows are not, or differ by
            noise only.
    """
    measure("change by other training rows", moved.effect, "score")
    if moved.verdict is Verdict.INCONCLUSIVE and moved.tested:
        raise AssertionError(
            f"This cannot be measured: runs on the same data differ by up to {moved.noise:.2g}, "
            "and other training rows make no difference beyond that. What the model learns drowns "
            "in random numbers of its own."
        )
    if moved.verdict is Verdict.STILL:
        raise AssertionError(
            "This cannot be measured: the model stays the same when its training rows are "
            "altered, so it was not learned from the rows that it is said to be trained on."
        )


def assert_batch_independent(
    batch: Scores, others: Mapping[str, Scores], *, measure: Callable[..., None]
) -> None:
    """Hold that a row's score does not depend on the rows that are scored with it.

    Args:
        batch: scores of all rows in one call, shape ``(rows,)``.
        others: how the rows were asked for otherwise → their scores, aligned with `batch` and NaN
            where a row was left out.
        measure: the ``measure`` fixture.

    Raises:
        AssertionError: a row's score differs; says how it was asked for and by how much.
    """
    single = np.array_equal(batch.astype("float32").astype("float64"), batch)
    limit = (_RELATIVE_SINGLE if single else _RELATIVE) * _spread(batch)
    worst = 0.0
    found = ""
    for how, scores in others.items():
        change = np.abs(scores - batch)
        asked = ~np.isnan(change)
        largest = float(change[asked].max())
        if largest > max(worst, limit):
            count = int((change[asked] > limit).sum())
            found = (
                f"The scores of {count} of {int(asked.sum())} rows change by up to {largest:.2g} "
                f"when they are scored {how}: a statistic is taken from the rows that are scored, "
                "which a single request in production does not have."
            )
        worst = max(worst, largest)
    measure("largest change", worst, "score", limit)
    if found:
        raise AssertionError(found)


def assert_claim_holds(
    claimed: float, metric: str, labels: NDArray[np.int64], scores: Scores, *,
    measure: Callable[..., None], tolerance: float = 1e-6,
) -> None:  # fmt: skip
    """Hold that a claimed test score is what the model scores on the test rows it names.

    Args:
        claimed: the value that the submission reports.
        metric: its name, a key of `grader.judge.metrics.KNOWN_METRICS`.
        labels: the judge's labels of the test rows, shape ``(rows,)``.
        scores: what `predict` gives for those rows, shape ``(rows,)``.
        measure: the ``measure`` fixture.
        tolerance: largest difference.

    Raises:
        AssertionError: unknown metric, or another value.
    """
    true = recompute(metric, labels, scores)
    measure("claimed", claimed, metric)
    measure("recomputed", true, metric)
    if not abs(claimed - true) <= tolerance:
        raise AssertionError(
            f"It reports {metric} {claimed:.6f} for its test rows, but the model scores {true:.6f} "
            "on them: the score was computed on other rows, from other scores, or not at all."
        )


def holdout_gap(
    claimed: float, metric: str, labels: NDArray[np.int64], scores: Scores, *,
    groups: NDArray[Any], rng: np.random.Generator,
) -> tuple[float, float]:  # fmt: skip
    """How far a claim lies above what the model reaches on later, unseen groups.

    A figure for the reviewer, not a verdict: an honest claim on a small test set can lie high, and
    a leak can leave the score as it is.

    Returns:
        The value on the hold-out, and the gap in its standard errors (cluster bootstrap).
    """
    true = recompute(metric, labels, scores)
    error = bootstrap_error(
        lambda rows: recompute(metric, labels[rows], scores[rows]), labels, groups, rng
    )
    return true, (claimed - true) / error if error > 0 else 0.0


def assert_chance_level(
    labels: NDArray[np.int64], scores: Scores, *, measure: Callable[..., None]
) -> None:
    """Hold that scores of test rows are near chance where labels were shuffled before the run.

    With labels shuffled there is nothing to learn; a model that still ranks its test rows well has
    seen their labels (label permutation; Ojala and Garriga, "Permutation tests for studying
    classifier performance", JMLR 11, 2010). Under chance the average precision has a mean near the
    prevalence and a standard deviation near ``sqrt(prevalence / positives)``.

    Args:
        labels: the shuffled labels of the test rows, 0 or 1, shape ``(rows,)``.
        scores: what `predict` gives for them, shape ``(rows,)``.
        measure: the ``measure`` fixture.

    Raises:
        AssertionError: the average precision is more than five standard deviations above chance.
    """
    prevalence = float(labels.mean())
    limit = prevalence + 5 * float(np.sqrt(prevalence / max(int(labels.sum()), 1))) + 0.02
    found = recompute("average_precision", labels, scores)
    measure("average precision on shuffled labels", found, "", limit)
    if found > limit:
        raise AssertionError(
            "With the labels shuffled there is nothing to learn, yet the model reaches an average "
            f"precision of {found:.2f} on its test rows where chance is {prevalence:.2f}: their "
            "labels reach the features or the model."
        )


# The structure of a split. Folds are pairs (train labels, test labels) of a frame's rows.


def assert_rows_apart(folds: Folds, rows: pd.Index[Any]) -> None:
    """Hold that ids are rows of the input, each at most once, and on one side only.

    Raises:
        AssertionError: ids that are no rows, repeated ids, or rows on both sides.
    """
    for number, (train, test) in enumerate(folds, 1):
        for side, ids in (("train", train), ("test", test)):
            strange = len(ids) - int(pd.Index(ids).isin(rows).sum())
            if strange:
                raise AssertionError(
                    f"Fold {number}: {strange:,} of {len(ids):,} {side} ids are no row labels of "
                    "the frame: the rows were made up (resampled, reset) before the split."
                )
            twice = len(ids) - len(set(ids))
            if twice:
                raise AssertionError(f"Fold {number}: {twice:,} {side} ids occur more than once.")
        if both := len(set(train) & set(test)):
            raise AssertionError(
                f"Fold {number}: {both:,} rows are in train and in test: the model is tested on "
                "rows that it was trained on."
            )


def assert_groups_apart(folds: Folds, groups: pd.Series[Any], name: str) -> None:
    """Hold that no group has rows on both sides.

    Args:
        folds: pairs of row labels.
        groups: the group of each row, by row label.
        name: what a group is, in the plural.

    Raises:
        AssertionError: groups on both sides.
    """
    for number, (train, test) in enumerate(folds, 1):
        shared = set(groups.loc[train]) & set(groups.loc[test])
        if shared:
            total = groups.loc[test].nunique()
            raise AssertionError(
                f"Fold {number}: {len(shared):,} of {total:,} {name} in test have rows in train "
                f"as well. In production all {name} are new, so this test is too easy."
            )


def assert_time_order(folds: Folds, times: pd.Series[Any]) -> None:
    """Hold that all of train lies before all of test.

    Args:
        folds: pairs of row labels.
        times: the time of each row, by row label.

    Raises:
        AssertionError: training rows at or after the first test row.
    """
    for number, (train, test) in enumerate(folds, 1):
        begin = times.loc[test].min()
        late = int((times.loc[train] >= begin).sum())
        if late:
            raise AssertionError(
                f"Fold {number}: {late:,} of {len(train):,} training rows are not older than the "
                "first test row: the model learns from a future that production does not have."
            )


def moved_state(
    base: Sequence[Mapping[str, Scores]],
    altered: Sequence[Mapping[str, Scores]],
) -> list[str]:
    """Names of the fitted statistics that moved, though they stay the same without the change.

    The state is reported from the candidate's process, so it can accuse and corroborate but never
    acquit. It sees what scores cannot: a scaler before trees, fitted on all rows. Only attributes
    in which scikit-learn's transformers keep what they learned of columns are compared, without
    regard to their order: what else a model keeps (notes on its test rows, categories in the order
    in which they came) may move, and means nothing.

    Args:
        base: path of a fitted attribute → its numbers, for each run on the input as it was.
        altered: the same for each run on altered input.
    """
    found = []
    for name, value in sorted(base[0].items()):
        if not _STATISTIC.search(name):
            continue
        same = [state.get(name) for state in base[1:]]
        other = [state.get(name) for state in altered]
        steady = all(v is not None and _equal(value, v, exact=True) for v in same)
        if steady and all(v is not None and not _equal(value, v, exact=False) for v in other):
            found.append(name)
    return found


def _equal(one: Scores, two: Scores, *, exact: bool) -> bool:
    if one.size != two.size:
        return False
    one, two = np.sort(one, axis=None), np.sort(two, axis=None)
    if exact:
        return np.array_equal(one, two, equal_nan=True)
    return bool(np.allclose(one, two, rtol=1e-6, atol=1e-9, equal_nan=True))
