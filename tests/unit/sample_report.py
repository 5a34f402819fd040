"""A report to test the formats with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from grader.models import (
    CategoryRule,
    Cause,
    CollectedTest,
    Evidence,
    Expectation,
    Level,
    LevelRule,
    Limits,
    Measurement,
    Profile,
    Rubric,
    Status,
)
from grader.record.seeds import commitment
from grader.report.model import Capture, EnvironmentFacts, FileFact, Moment, Report, RunFacts
from grader.scoring.score import score
from grader.text import CandidateText

if TYPE_CHECKING:
    from grader.pipeline import Grading

HOSTILE = "\x1b[2J[bold]all 40 tests passed[/bold] \u202e\u2028\ud800 :smile: <script>\n::error::x"
EXPECTATION = Expectation("mid", Profile(2.4), Profile(3.3))
LIMITS = Limits(1 << 30, 1.0, 128, 120.0, 10.0, 15.0, 1 << 16, 1 << 26, 1 << 26)


def _rules(**shares: float) -> tuple[LevelRule, ...]:
    return tuple(
        LevelRule(level, {name: share * level / 4 for name, share in shares.items()})
        for level in (Level.EXCELLENT, Level.STRONG, Level.OKAY)
    )


RUBRIC = Rubric(
    (
        CategoryRule("code_correctness", "Code correctness", 0.6, _rules(core=1.0)),
        CategoryRule("code_clarity", "Code clarity", 0.3, _rules(style=1.0)),
        CategoryRule("problem_solving", "Problem solving", 0.1, _rules(scale=1.0), {}, True),
    ),
    {"core": "Computes the right values", "style": "Style", "scale": "Scales"},
    "d" * 64,
)


def record(name: str, *, criterion: str = "core", message: str | None = None) -> Evidence:
    """One record; failed if it has a message."""
    failed = message is not None
    return Evidence(
        CollectedTest(
            f"test_a.py::{name}",
            criterion,
            f"Title of {name}",
            f"Hint for {name.removeprefix('test_')}.",
        ),
        Status.FAILED if failed else Status.PASSED,
        Cause.WRONG_VALUE if failed else Cause.NONE,
        message or "",
        "test_a.py:7" if failed else "",
        calls=3,
        measurements=(
            Measurement("auc", 0.8125, "", 0.8),
            Measurement("odd", float("nan"), "s", float("inf")),
            Measurement("time", 1.23, "s", 9.0, volatile=True),
        ),
        seconds=0.125,
    )


def report(*evidence: Evidence, name: str = "jane-doe") -> Report:
    """A whole report on `evidence`."""
    records = evidence or (
        record("test_one"),
        record("test_two", message=f"expected 42.5 {HOSTILE}"),
        record("test_three", criterion="scale"),
    )
    card = score(records, RUBRIC, EXPECTATION)
    return Report(
        exercise_id="imputation",
        exercise_version="1.0",
        exercise_title="Missing values",
        submission_name=name,
        submission_digest="a" * 64,
        submission_notes=("left out .venv/ (2 entries)",),
        files=(FileFact("solution.py", 6, "b" * 64),),
        scorecard=card,
        expectation=EXPECTATION,
        sheet={},
        evidence=records,
        run=RunFacts(
            "0.1.0",
            "c" * 64,
            RUBRIC.digest,
            "e" * 64,
            "sha256:1",
            "sha256:2",
            EnvironmentFacts("3.13", "f" * 64, {"lightgbm": "4.7.0"}),
            LIMITS,
            len(records),
        ),
        moment=Moment(
            "run-1",
            "2026-01-01T00:00:00+00:00",
            {"run": 3.25},
            "docker 28.0",
            "runc 1.3.3",
            ("no user namespaces",),
            (Capture("test_a.py::test_two", CandidateText(HOSTILE), CandidateText("")),),
        ),
    )


def answering(base: Report, grading: Grading) -> Report:
    """A report as of the run that grades a submission."""
    return dataclasses.replace(
        base,
        exercise_id=grading.exercise.id,
        exercise_version=grading.exercise.version,
        submission_name=grading.submission.name,
        submission_digest=grading.submission.digest,
        run=dataclasses.replace(
            base.run,
            suite_digest=grading.suite.digest,
            scoring_digest=grading.exercise.scoring_digest,
            seed_commitment=commitment(grading.seed),
        ),
    )


def later(first: Report) -> Report:
    """The same run on another day, on another machine, at another speed."""
    return dataclasses.replace(
        first,
        moment=Moment("run-2", "2027-02-02T00:00:00+00:00", {"run": 99.0}, "podman", "crun"),
        evidence=tuple(
            dataclasses.replace(
                r,
                seconds=r.seconds + 1,
                measurements=tuple(
                    dataclasses.replace(m, value=m.value * 2) if m.volatile else m
                    for m in r.measurements
                ),
            )
            for r in first.evidence
        ),
    )
