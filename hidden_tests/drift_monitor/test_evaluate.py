"""Metrics overall and by slice, against the judge's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import reference
from claims import assert_often
from data import numbers_of

from grader.judge.compare import assert_array, assert_kind, assert_value

GROUPS = "Which rows does the table have, and in which order?"
METRICS = "Work the metrics out by hand for a few rows, a tie among them."
LABELS = "What is known of a customer whose label has not arrived?"
INTERVAL = "How many customers does the recall of a slice rest on?"
SMALL = "What can be said of a slice with five labelled rows?"


def _log(rng, rows, *, unknown=0.0, levels=("a", "b", "c"), missing=0.0):
    """A log whose scores have ties; `unknown` is the share of labels that have not arrived."""
    churned = (rng.random(rows) < 0.4).astype(float)
    score = np.round(np.clip(rng.normal(0.35 + 0.25 * churned, 0.2), 0, 1), 2)
    kept = np.where(rng.random(rows) < unknown, np.nan, churned)
    frame = pd.DataFrame(
        {
            "date": pd.Timestamp("2024-06-03") + pd.to_timedelta(np.arange(rows) % 14, unit="D"),
            "score": score,
            "churned": kept,
            "minutes": rng.gamma(9.0, 20.0, rows),
        }
    )
    for name in ("plan", "town"):
        column = pd.Series(rng.choice(np.array(levels, dtype=object), rows))
        frame[name] = column.mask(rng.random(rows) < missing).astype("str")
    return frame


def _column(table, name):
    column = table.get(name)
    assert_kind(column, pd.Series, f"the column {name}")
    return column


def _assert_column(table, name, expected, rtol=1e-9):
    got = _column(table, name)
    assert_value(len(got), len(expected), what=f"rows of {name}")
    numbers = pd.to_numeric(got, errors="coerce").to_numpy(float)
    assert_array(numbers, expected=expected[name].to_numpy(float), rtol=rtol, what=name)


def _assert_groups(table, expected):
    for name in ("slice", "value"):
        got = [str(cell) for cell in _column(table, name).tolist()]
        assert_value(got, expected[name].tolist(), what=name)


@pytest.mark.criterion("metrics", sheet="groups", hint=GROUPS)
def test_rows_of_the_table(solution, rng):
    """All rows first, then the slices in their order, values sorted, missing last."""
    log = _log(rng, 1500, missing=0.2, levels=("b", "B", "a10", "a9"))
    for slices in ([], ["town"], ["town", "plan"]):
        expected = reference.evaluate(log, slices, 0.5)
        table = numbers_of(solution.evaluate(log, slices, 0.5))
        _assert_groups(table, expected)
        _assert_column(table, "rows", expected)


@pytest.mark.criterion("metrics", sheet="groups", hint=GROUPS)
def test_slices_of_numbers(solution, rng):
    """The values of a column of whole numbers are sorted as text, too: 10 before 9."""
    log = _log(rng, 900).assign(seats=rng.integers(8, 12, 900))
    expected = reference.evaluate(log, ["seats"], 0.5)
    table = numbers_of(solution.evaluate(log, ["seats"], 0.5))
    _assert_groups(table, expected)
    for name in ("rows", "churners", "recall"):
        _assert_column(table, name, expected)


@pytest.mark.criterion("metrics", sheet="groups", hint=GROUPS)
def test_missing_numbers_and_equal_rows(solution, rng):
    """Numbers that are missing have a row at the end, and rows that are equal count each."""
    log = _log(rng, 700).assign(seats=rng.integers(8, 12, 700).astype(float))
    log.loc[rng.random(700) < 0.2, "seats"] = np.nan
    log = pd.concat([log, log.iloc[:150]], ignore_index=True)
    expected = reference.evaluate(log, ["seats"], 0.5)
    table = numbers_of(solution.evaluate(log, ["seats"], 0.5))
    last = str(_column(table, "value").tolist()[-1])
    assert_value(last, "(missing)", what="the last value")
    for name in ("rows", "labelled", "churners"):
        _assert_column(table, name, expected)


@pytest.mark.criterion("metrics", sheet="groups", hint=GROUPS)
def test_missing_values_of_objects(solution, rng):
    """None in a column of objects is missing, and no text of its own."""
    log = _log(rng, 700)
    texts = rng.choice(np.array(["ash", "elm", "oak"], dtype=object), 700)
    log["tree"] = pd.Series(texts, dtype=object).mask(rng.random(700) < 0.2, None)
    expected = reference.evaluate(log, ["tree"], 0.5)
    table = numbers_of(solution.evaluate(log, ["tree"], 0.5))
    values = [str(value) for value in _column(table, "value").tolist()]
    assert_value(values, [str(value) for value in expected["value"]], what="values")
    _assert_column(table, "rows", expected)


@pytest.mark.criterion("metrics", sheet="groups", hint=GROUPS)
def test_categories_that_no_row_has(solution, rng):
    """A category that the column knows and no row has is no slice."""
    log = _log(rng, 600)
    expected = reference.evaluate(log, ["plan"], 0.5)
    plans = pd.Categorical(log["plan"].astype(object), categories=["a", "b", "c", "never"])
    table = numbers_of(solution.evaluate(log.assign(plan=plans), ["plan"], 0.5))
    _assert_groups(table, expected)


@pytest.mark.criterion("metrics", sheet="metrics", hint=METRICS)
def test_metrics_of_known_rows(solution, rng):
    """Counts, AUC, precision and recall agree with the judge's to 1e-9, ties and all."""
    log = _log(rng, 2000)
    expected = reference.evaluate(log, ["plan"], 0.5)
    table = numbers_of(solution.evaluate(log, ["plan"], 0.5))
    for name in ("labelled", "churners", "auc", "precision", "recall"):
        _assert_column(table, name, expected)


@pytest.mark.criterion("metrics", sheet="metrics", hint=METRICS)
def test_a_score_at_the_threshold_predicts_churn(solution, rng):
    """The threshold itself belongs to those above, at any threshold."""
    log = _log(rng, 900)
    for threshold in (0.25, 0.5, 0.75):
        log.loc[log.index % 3 == 0, "score"] = threshold
        expected = reference.evaluate(log, [], threshold)
        table = numbers_of(solution.evaluate(log, [], threshold))
        for name in ("precision", "recall"):
            _assert_column(table, name, expected)


@pytest.mark.criterion("metrics", sheet="metrics", hint=METRICS)
def test_precision_without_a_prediction(solution, rng):
    """Where nobody is predicted to leave, precision is NaN and recall 0."""
    log = _log(rng, 400).assign(score=lambda frame: frame["score"] / 2)
    expected = reference.evaluate(log, [], 0.9)
    table = numbers_of(solution.evaluate(log, [], 0.9))
    for name in ("precision", "recall"):
        _assert_column(table, name, expected)


@pytest.mark.criterion("labels", sheet="labels", hint=LABELS)
def test_labels_that_have_not_arrived(solution, rng):
    """A row without a label moves the number of rows and nothing else."""
    log = _log(rng, 2400, unknown=0.4)
    expected = reference.evaluate(log, ["plan"], 0.5)
    table = numbers_of(solution.evaluate(log, ["plan"], 0.5))
    known = numbers_of(solution.evaluate(log[log["churned"].notna()], ["plan"], 0.5))
    for name in ("labelled", "churners", "auc", "precision", "recall"):
        _assert_column(table, name, known, rtol=1e-6)
    _assert_column(table, "labelled", expected)


@pytest.mark.criterion("intervals", sheet="interval", hint=INTERVAL)
@pytest.mark.parametrize(("recall", "slices"), [(0.7, 120), (0.97, 60)])
def test_the_interval_covers_the_recall(solution, rng, measure, recall, slices):
    """Of slices with a known recall the interval covers it in nine of ten.

    With some 25 churners and 0.97 Wilson's covers 0.96, an exact one 0.99, one by the normal
    distribution or by bootstrap alone, which has no width where all are found, 0.53.
    """
    rows = 80
    place = np.repeat(np.arange(slices), rows)
    churned = (rng.random(slices * rows) < 0.25).astype(float)
    # Enough of both in every slice, or there would be no interval to look at.
    churned.reshape(slices, rows)[:, :20] = np.repeat([1.0, 0.0], 10)
    hit = rng.random(slices * rows) < np.where(churned == 1.0, recall, 0.2)
    log = pd.DataFrame(
        {
            "date": pd.Timestamp("2024-06-03"),
            "score": np.where(
                hit, rng.uniform(0.5, 1.0, len(hit)), rng.uniform(0.0, 0.49, len(hit))
            ),
            "churned": churned,
            "cell": pd.Series([f"cell {number:03d}" for number in place]).astype("str"),
        }
    )
    expected = reference.evaluate(log, ["cell"], 0.5)
    table = numbers_of(solution.evaluate(log, ["cell"], 0.5))
    low, high = (_column(table, name).to_numpy(float)[1:] for name in ("low", "high"))
    assert_value([len(low), len(high)], [slices, slices], what="number of intervals")
    covered = int(np.sum((low <= recall) & (recall <= high)))
    measure("coverage", covered / slices, "share", 0.9, better="high")
    assert_often(covered, slices, 0.9, "intervals that cover the recall")
    due = (expected["high"] - expected["low"]).to_numpy(float)
    width = float(np.mean((high - low) / due[1:]))
    measure("width", width, "times Wilson's", 1.5)
    # As the sheet says: 0 to 1 covers everything; exact intervals are 1.1 times as wide.
    if not width <= 1.5:
        raise AssertionError(f"intervals are {width:.2f} times as wide as Wilson's")
    # That of all rows is narrow: an end that does not move with the rows shows there.
    first, last = (float(_column(table, name).to_numpy(float)[0]) for name in ("low", "high"))
    if not last - first <= 1.5 * due[0]:
        raise AssertionError(
            f"the interval of all rows is {(last - first) / due[0]:.2f} times as wide as Wilson's"
        )


@pytest.mark.criterion("intervals", sheet="interval", hint=INTERVAL)
def test_the_interval_where_none_or_all_are_found(solution, rng):
    """A recall of 0 or 1 has an interval as any other, and lies close to its end."""
    log = _log(rng, 600, levels=("never", "always", "some"))
    low_score = rng.uniform(0.0, 0.4, len(log))
    log["score"] = log["score"].mask(log["plan"] == "never", low_score)
    log["score"] = log["score"].mask(log["plan"] == "always", 1.0 - low_score)
    expected = reference.evaluate(log, ["plan"], 0.5)
    table = numbers_of(solution.evaluate(log, ["plan"], 0.5))
    values = [str(value) for value in _column(table, "value").tolist()]
    low, high = (_column(table, name).to_numpy(float) for name in ("low", "high"))
    for name, recall in (("never", 0.0), ("always", 1.0)):
        place = values.index(name)
        holds = low[place] - 0.05 <= recall <= high[place] + 0.05
        assert_value(bool(holds), True, what=f"the interval of {name} is around {recall}")
        (row,) = expected[expected["value"] == name].itertuples()
        # An approximate one that goes beyond 0 and 1 is 1.4 times as wide.
        holds = high[place] - low[place] <= 2.0 * (row.high - row.low)
        assert_value(bool(holds), True, what=f"the interval of {name} is not much wider than due")


@pytest.mark.criterion("small_slices", sheet="small-slices", hint=SMALL)
def test_slices_too_small_to_say_anything(solution, rng):
    """Ten labelled churners and ten others are enough; nine of either are not."""
    counts = {"big": (60, 90), "edge": (10, 10), "few": (9, 40), "rare": (40, 9), "five": (2, 3)}
    parts = []
    for name, (churners, others) in counts.items():
        part = _log(rng, churners + others)
        part["churned"] = np.repeat([1.0, 0.0], [churners, others])
        parts.append(part.assign(plan=name))
    log = pd.concat(parts, ignore_index=True).astype({"plan": "str"})
    table = numbers_of(solution.evaluate(log, ["plan"], 0.5))
    values = [str(value) for value in _column(table, "value").tolist()]
    assert_value(values, ["all", *sorted(counts)], what="value")
    enough = _column(table, "enough").tolist()
    due = [True, *(min(counts[name]) >= 10 for name in sorted(counts))]
    assert_value([bool(flag) for flag in enough], due, what="enough")
    for name in ("auc", "precision", "recall", "low", "high"):
        got = pd.to_numeric(_column(table, name), errors="coerce").notna().tolist()
        assert_value(got, due, what=f"{name} is there")
