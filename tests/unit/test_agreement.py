"""Agreement between people and with the machine, against figures worked out by hand."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from pathlib import Path

import pytest

from grader.authoring.stats import measure_exercise
from grader.authoring.stats_report import stats_json, stats_lines, stats_page
from grader.decisions.agreement import agreement, exact, kappa, ordinal_alpha
from grader.decisions.events import Event, Kind
from grader.report.reliability import Looked, overruled, reliability

sys.path.insert(0, str(Path(__file__).parent))
from decided import RUN, SCORING
from sample_report import record, report

PAIRS = [(1, 1)] * 4 + [(2, 2)] * 5 + [(3, 3)] * 6 + [(4, 4)] * 3 + [(1, 2), (2, 3), (4, 2)]


def by_sklearn(pairs: list[tuple[int, ...]]) -> float:
    metrics = pytest.importorskip("sklearn.metrics")
    first, second = zip(*pairs, strict=True)
    return float(metrics.cohen_kappa_score(first, second, weights="quadratic"))


def test_the_exact_share_counts_equal_levels() -> None:
    assert exact(Counter(PAIRS)) == pytest.approx(18 / 21)


def test_quadratic_kappa_is_that_of_another_library() -> None:
    assert kappa(Counter(PAIRS)) == pytest.approx(by_sklearn([*PAIRS]))


def test_ordinal_alpha_is_one_minus_observed_over_expected_disagreement() -> None:
    units = [(1, 1), (1, 2), (2, 2), (3, 3), (3, 4), (4, 4)]
    # Each level occurs three times, so a level weighs 3: neighbours are 3² apart, and so on.
    observed = 2 * (9 + 9)  # the pairs (1, 2) and (3, 4), in both orders
    expected = 2 * 3 * 3 * (3 * 9 + 2 * 36 + 81) / 11  # all pairs of 12 values
    assert ordinal_alpha(Counter(units)) == pytest.approx(1 - observed / expected)


def test_three_raters_weigh_a_unit_like_two() -> None:
    assert ordinal_alpha(Counter({(1, 1, 1): 4, (4, 4, 4): 4})) == 1.0
    assert ordinal_alpha(Counter({(1, 1, 1): 4})) is None


def test_below_ten_pairs_nothing_is_said() -> None:
    few = agreement(PAIRS[:9])
    assert (few.pairs, few.exact, few.kappa, few.alpha) == (9, None, None, None)
    assert agreement(PAIRS[:10]).exact is not None


def test_units_of_one_rater_are_no_pairs() -> None:
    assert agreement([(1,), (), (2, 2)]).pairs == 1


def test_an_interval_lies_around_its_estimate_and_is_the_same_each_time() -> None:
    found = agreement(PAIRS)
    assert found.kappa is not None
    assert found.kappa.low is not None
    assert found.kappa.high is not None
    assert found.kappa.value is not None
    assert found.kappa.low < found.kappa.value < found.kappa.high
    assert agreement(PAIRS) == found


def looked(*levels: tuple[str, int], failed: bool = True) -> Looked:
    """A submission whose clarity is Poor by the machine, with opinions on it."""
    style = record("style", criterion="style", message="bad" if failed else None)
    made = report(record("one"), record("three", criterion="scale"), style)
    events = [
        Event(
            number, "2026-01-01T00:00:00+00:00", Kind.OVERRULE, by, "c", "imputation",
            "code_clarity", level, 1, RUN, SCORING, 0, (), "",
        )
        for number, (by, level) in enumerate(levels, 1)
    ]  # fmt: skip
    return Looked(made.scorecard, made.evidence, {"code_clarity": events}, RUN, SCORING)


def test_reviewers_and_machine_are_compared_by_category() -> None:
    found = {row.category: row for row in reliability([looked(("ann", 3), ("bob", 3))] * 10)}
    clarity = found["code_clarity"]
    assert (clarity.reviewers.pairs, clarity.machine.pairs) == (10, 20)
    assert clarity.reviewers.exact is not None
    assert clarity.reviewers.exact.value == 1.0
    assert clarity.machine.exact is not None
    assert clarity.machine.exact.value == 0.0
    assert found["code_correctness"].reviewers.pairs == 0


def test_a_check_that_is_overruled_again_and_again_is_named() -> None:
    raised = [looked(("ann", 3))] * 3
    (found,) = overruled([*raised, looked(("ann", 1))])
    assert (found.test.id, found.raised, found.decided) == ("test_a.py::style", 3, 4)
    assert overruled([*raised[:2], looked(("ann", 1))]) == []
    assert overruled([*raised, *[looked(("ann", 1))] * 4]) == []


def test_statistics_of_an_exercise_tell_of_agreement() -> None:
    seen = [looked(("ann", 3), ("bob", 2))] * 12
    reports = [dataclasses.replace(report(), submission_digest=f"{n:064x}") for n in range(3)]
    stats = measure_exercise(reports, seen)
    lines = "\n".join(stats_lines(stats))
    assert "agreement with reviewers, Code clarity: exact 0.00 (0.00 to 0.00)" in lines
    assert "check test_a.py::style: failed on 12" in lines
    assert "Agreement of reviewers" in stats_page(stats)
    assert b'"overruled"' in stats_json(stats)
    assert "Agreement of reviewers" not in stats_page(measure_exercise(reports))
