"""A run's results folder, read back: every report format is made from it without Docker.

``report.json`` holds the evidence, ``submission.zip`` the graded files. Both were written by this
program; they are checked all the same, because a folder may have been moved or edited since.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.models import (
    Band,
    Cause,
    CollectedTest,
    Evidence,
    Exercise,
    Expectation,
    Level,
    Limits,
    Measurement,
    Profile,
    Status,
    Submission,
    SubmissionFile,
)
from grader.notebook.facts import facts_from
from grader.record.graded import SUBMISSION, unpack_files
from grader.report.model import Capture, EnvironmentFacts, FileFact, Moment, Report, RunFacts
from grader.report.report_json import read_report
from grader.scores import CategoryScore, CriterionShare, Indicator, ScoreCard
from grader.scoring.findings import Claim, Findings, Note, findings_of
from grader.scoring.score import check_suite, score
from grader.text import CandidateText

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_run", "report_from", "scored_again"]

_Json = dict[str, Any]


def read_run(folder: Path) -> tuple[Report, tuple[SubmissionFile, ...]]:
    """Report and graded files of a results folder.

    Raises:
        UsageError: it is not one, or its parts do not belong together.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no results folder; give one that `grade` wrote")
    report = report_from(read_report(folder / "report.json"))
    return report, unpack_files(folder / SUBMISSION, report.submission_digest)


def scored_again(
    report: Report, files: tuple[SubmissionFile, ...], exercise: Exercise
) -> tuple[Report, bool]:
    """The report under the rubric that the exercise has now, and whether that is another one.

    Raises:
        ExerciseError: the recorded tests do not fit the rubric.
    """
    rubric = exercise.rubric
    expectation = exercise.expectation
    if report.run.scoring_digest == exercise.scoring_digest:
        return report, False
    check_suite([record.test for record in report.evidence], rubric)
    submission = Submission(
        report.submission_name, exercise.public_dir, report.submission_digest, files
    )
    return dataclasses.replace(
        report,
        scorecard=score(report.evidence, rubric, expectation),
        expectation=expectation,
        sheet=exercise.sheet,
        findings=findings_of(submission, rubric, report.evidence),
        run=dataclasses.replace(
            report.run,
            scoring_digest=exercise.scoring_digest,
            judge_notes=(
                *report.run.judge_notes,
                (
                    f"scored again from the stored evidence: the run had scoring "
                    f"{report.run.scoring_digest[:12]}, this report has "
                    f"{exercise.scoring_digest[:12]}"
                ),
            ),
        ),
    ), True


def report_from(document: _Json) -> Report:
    """The report that `report_json.build_report` made the document of."""
    exercise, submission, volatile = (
        document[key] for key in ("exercise", "submission", "volatile")
    )
    points = document["score"]
    moments = {item["test_id"]: item for item in volatile["tests"]}
    return Report(
        exercise_id=exercise["id"],
        exercise_version=exercise["version"],
        exercise_title=exercise["title"],
        submission_name=submission["name"],
        submission_digest=submission["digest"],
        submission_notes=tuple(submission["notes"]),
        files=tuple(FileFact(**file) for file in submission["files"]),
        scorecard=ScoreCard(
            tuple(_category(item) for item in points["categories"]),
            points["overall"],
            Band(points["band"]),
            points["seniority"],
            tuple(points["missed"]),
        ),
        expectation=Expectation(
            points["seniority"],
            _profile(points["meets"]),
            _profile(points["exceeds"]),
            tuple(points["headline"]),
        ),
        sheet=document["sheet"],
        evidence=tuple(_evidence(item, moments[item["id"]]) for item in document["evidence"]),
        run=_run(document["run"]),
        moment=Moment(
            run_id=volatile["run_id"],
            started=volatile["started"],
            timings=volatile["timings"],
            engine=volatile["machine"]["engine"],
            runtime=volatile["machine"]["runtime"],
            warnings=tuple(volatile["machine"]["warnings"]),
            captures=tuple(_capture(item) for item in volatile["output"]),
        ),
        findings=_findings(document["findings"]),
        notebook=facts_from(document["notebook"]),
    )


def _profile(item: _Json) -> Profile:
    levels = {name: Level[level.upper()] for name, level in item["levels"].items()}
    return Profile(item["overall"], levels)


def _run(run: _Json) -> RunFacts:
    built = {
        "limits": Limits(**run["limits"]),
        "judge_notes": tuple(run["judge_notes"]),
        "environment": EnvironmentFacts(**run["environment"]),
    }
    return RunFacts(**{**run, **built})


def _category(item: _Json) -> CategoryScore:
    return CategoryScore(
        id=item["id"],
        title=item["title"],
        weight=item["weight"],
        level=Level(item["level"] or Level.POOR),
        assessed=item["assessed"],
        provisional=item["provisional"],
        decided_by=item["decided_by"],
        criteria=tuple(CriterionShare(**share) for share in item["criteria"]),
        indicators=tuple(Indicator(**indicator) for indicator in item["indicators"]),
    )


def _evidence(item: _Json, moment: _Json) -> Evidence:
    return Evidence(
        test=CollectedTest(
            item["id"], item["criterion"], item["title"], item["hint"], item["line"]
        ),
        status=Status(item["status"]),
        cause=Cause(item["cause"]),
        message=item["message"],
        where=item["where"],
        calls=item["calls"],
        measurements=(
            *(_measurement(m, volatile=False) for m in item["measurements"]),
            *(_measurement(m, volatile=True) for m in moment["measurements"]),
        ),
        remarks=tuple(item["remarks"]),
        seconds=moment["seconds"],
    )


def _measurement(item: _Json, *, volatile: bool) -> Measurement:
    value = float("nan") if item["value"] is None else item["value"]
    unit, threshold, better = item["unit"], item["threshold"], item["better"]
    return Measurement(item["name"], value, unit, threshold, volatile, better)


def _capture(item: _Json) -> Capture:
    stdout, stderr = CandidateText(item["stdout"]), CandidateText(item["stderr"])
    return Capture(item["test_id"], stdout, stderr, item["truncated"])


def _findings(item: _Json | None) -> Findings | None:
    if item is None:
        return None
    return Findings(
        file=item["file"],
        text=None if item["text"] is None else CandidateText(item["text"]),
        claims=tuple(
            Claim(
                claim["criterion"],
                claim["title"],
                claim["passed"],
                tuple((line["line"], CandidateText(line["text"])) for line in claim["lines"]),
                tuple(claim["facts"]),
            )
            for claim in item["claims"]
        ),
        notes=tuple(
            Note(note["path"], note["line"], CandidateText(note["text"])) for note in item["notes"]
        ),
    )
