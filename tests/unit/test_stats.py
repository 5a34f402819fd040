"""Figures over many submissions: shares, discrimination, intervals, and what they suggest."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from sample_report import EXPECTATION, RUBRIC, record
from sample_report import report as sample

from grader.authoring.stats import measure_exercise
from grader.authoring.stats_report import stats_csv, stats_json, stats_lines, stats_page
from grader.commands import stats as command
from grader.errors import UsageError
from grader.report.report_json import build_report
from grader.scoring.score import score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from grader.authoring.stats import ExerciseStats, Item
    from grader.report.model import Report

# Ten checks; submission n of 40 passes those whose hardness is below n.
HARDNESS = (0, 4, 8, 12, 16, 20, 24, 28, 32, 50)


def report(number: int, hardness: Sequence[int] = HARDNESS) -> Report:
    """Submission `number` of a class in which each is better than the one before."""
    evidence = [
        record(
            f"test_{place}",
            criterion="style" if place % 2 else "core",
            message=None if limit <= number else "wrong",
        )
        for place, limit in enumerate(hardness)
    ]
    evidence.append(
        record("test_backwards", criterion="scale", message="x" if number > 20 else None)
    )
    return dataclasses.replace(
        sample(),
        submission_digest=f"{number:064x}",
        evidence=tuple(evidence),
        scorecard=score(evidence, RUBRIC, EXPECTATION),
        run=dataclasses.replace(sample().run, collected=len(evidence)),
    )


@pytest.fixture(scope="module")
def many() -> ExerciseStats:
    return measure_exercise([report(number) for number in range(40)])


def item(stats: ExerciseStats, name: str) -> Item:
    return next(found for found in stats.items if found.name in {name, f"test_a.py::{name}"})


def test_the_share_is_that_of_submissions_that_passed(many: ExerciseStats) -> None:
    found = item(many, "test_5")
    assert found.share is not None
    assert (found.count, found.passed, found.share.value) == (40, 20, 0.5)


def test_the_interval_holds_the_share(many: ExerciseStats) -> None:
    figure = item(many, "test_5").share
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    # 0.5 ± 1.96 · sqrt(0.25 / 40) is 0.345 to 0.655.
    assert figure.low == pytest.approx(0.345, abs=0.06)
    assert figure.high == pytest.approx(0.655, abs=0.06)


def test_a_check_that_good_submissions_pass_discriminates(many: ExerciseStats) -> None:
    figure = item(many, "test_5").discrimination
    assert figure is not None
    assert 0.7 < figure.value <= 1.0


def test_the_rest_of_the_score_leaves_the_check_itself_out() -> None:
    # Two checks that have nothing to do with each other: with itself in the score either would
    # correlate by 0.7.
    reports = []
    for number in range(40):
        evidence = [
            record("test_a", message=None if number % 2 else "x"),
            record("test_b", criterion="style", message=None if number % 4 > 1 else "x"),
        ]
        card = score(evidence, RUBRIC, EXPECTATION)
        reports.append(
            dataclasses.replace(
                sample(),
                submission_digest=f"{number:064x}",
                evidence=tuple(evidence),
                scorecard=card,
            )
        )
    figure = item(measure_exercise(reports), "test_a").discrimination
    assert figure is not None
    assert figure.value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_0", "nobody fails it"),
        ("test_9", "nobody passes it"),
        ("test_backwards", "those who do well elsewhere fail it"),
        ("test_5", ""),
    ],
)
def test_what_stands_out_is_named(many: ExerciseStats, name: str, words: str) -> None:
    suggestion = item(many, name).suggestion
    assert suggestion.startswith(words)
    assert bool(suggestion) == bool(words)


def test_where_all_do_alike_there_is_no_discrimination(many: ExerciseStats) -> None:
    assert item(many, "test_0").discrimination is None


def test_below_thirty_submissions_there_are_counts_only() -> None:
    stats = measure_exercise([report(number) for number in range(29)])
    found = item(stats, "test_5")
    assert (found.count, found.passed) == (29, 9)
    assert (found.share, found.discrimination, found.suggestion) == (None, None, "")
    assert "fewer than 30, so there are counts only" in "\n".join(stats_lines(stats))
    assert "Fewer than 30 submissions" in stats_page(stats)


def test_levels_are_counted_by_seniority(many: ExerciseStats) -> None:
    levels = many.levels["mid"]["Code correctness"]
    assert sum(levels.values()) == 40
    assert sum(many.bands["mid"].values()) == 40


def test_inconclusive_checks_are_counted() -> None:
    first = report(1)
    unsure = dataclasses.replace(first.evidence[0], remarks=("Inconclusive: its noise is large.",))
    told = dataclasses.replace(
        first, submission_digest="f" * 64, evidence=(unsure, *first.evidence[1:])
    )
    assert item(measure_exercise([first, told]), "test_0").inconclusive == 0.5


def test_the_same_reports_give_the_same_bytes(many: ExerciseStats) -> None:
    again = measure_exercise([report(number) for number in range(40)])
    assert stats_json(again) == stats_json(many)


def test_the_table_has_a_row_for_each_criterion_and_check(many: ExerciseStats) -> None:
    rows = stats_csv(many).decode().splitlines()
    assert len(rows) == 1 + 3 + 11


def test_the_page_draws_and_names(many: ExerciseStats) -> None:
    page = stats_page(many)
    assert "nobody passes it" in page
    assert page.count("<svg") >= 20


def written(folder: Path, *reports: Report) -> Path:
    for number, one in enumerate(reports):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "report.json").write_text(json.dumps(build_report(one)))
    return folder


def test_the_command_takes_each_submission_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path / "in", report(1), report(2), report(2))
    assert command.run([str(folder), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(": 2 submissions")
    suffixes = sorted(path.suffix for path in (tmp_path / "out").iterdir())
    assert suffixes == [".csv", ".html", ".json"]


def test_a_folder_without_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no report\.json in "):
        command.run([str(tmp_path), "--out", str(tmp_path / "out")])
