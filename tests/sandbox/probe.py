"""Run the probe exercise on a solution's source and give its verdict vector."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader import pipeline
from grader.intake.submission import digest_of
from grader.models import Submission, SubmissionFile

if TYPE_CHECKING:
    from grader.pipeline import Report
    from grader.sandbox.workbench import Workbench, Worker

PROJECT = Path(__file__).parent / "project"
HONEST = (PROJECT / "honest.py").read_text()
SEED = "5eed" * 8


@dataclass(frozen=True)
class Probed:
    """The causes of failed tests by test name, the whole report, and how long the run took."""

    failed: dict[str, str]
    report: Report
    folder: Path
    seconds: float


def submission_of(source: str, **files: bytes) -> Submission:
    """A submission with a ``solution.py`` and other files."""
    parts = {"solution.py": source.encode(), **files}
    items = tuple(SubmissionFile(path, parts[path]) for path in sorted(parts))
    return Submission("attack", Path("attack"), digest_of(items), items)


def probe(worker: Worker, bench: Workbench, source: str, out: Path) -> Probed:
    """Grade a source text by the probe exercise."""
    path = out / "honest.py"
    path.write_text(HONEST)
    grading = pipeline.prepare(path, root=PROJECT, exercise="probe", seed=SEED)
    grading = pipeline.Grading(submission_of(source), grading.exercise, grading.suite, grading.seed)
    clock = time.monotonic()
    graded = pipeline.run(worker, bench, grading, out=out / "results")
    failed = {
        item.test.id.partition("::")[2]: str(item.cause)
        for item in graded.report.evidence
        if item.status == "failed"
    }
    return Probed(failed, graded.report, graded.folder, time.monotonic() - clock)
