"""The steps of one grading, in order. This module orchestrates and decides nothing itself."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grader
from grader.errors import (
    PlatformError,
    SubmissionRejected,
    unforeseen,
)
from grader.exercise.contract import (
    detect_exercise,
    list_exercises,
    load_exercise,
    project_root,
    starter_files,
)
from grader.exercise.suite import Suite, load_suite
from grader.intake.entries import shown
from grader.intake.submission import for_entry, read_submission
from grader.notebook.facts import PAGE, departure_notes, facts_of
from grader.notebook.resolve import resolve
from grader.record.binding import bind
from grader.record.graded import SUBMISSION, pack_files
from grader.record.results import ResultsFolder
from grader.record.seeds import checked, commitment, run_seed, team_seed
from grader.report import report_json
from grader.report.dossier import Dossier
from grader.report.formats import FORMATS, WRITTEN_WITH_EACH_RUN, render
from grader.report.model import Capture, EnvironmentFacts, Moment, Report, RunFacts, file_facts
from grader.report.stored import report_from
from grader.sandbox.doctor import warnings_of
from grader.sandbox.workbench import Workbench, Worker
from grader.scoring.evidence import collected_tests, evidence_of
from grader.scoring.findings import findings_of
from grader.scoring.score import check_suite, score
from grader.starter import handed_out
from grader.text import CandidateText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from grader.models import Exercise, Submission
    from grader.sandbox.relay import RunRecord

__all__ = ["Graded", "Grading", "Offered", "Report", "grade", "prepare", "run"]


@dataclass(frozen=True, slots=True)
class Graded:
    """A finished run: the report, and the folder that holds it with its transcript.

    Attributes:
        faults: pages that could not be made, and why; the score stands without them.
    """

    report: Report
    folder: Path
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grading:
    """A submission that passed intake, with what it will be graded by."""

    submission: Submission
    exercise: Exercise
    suite: Suite
    seed: str


def _silent(text: str) -> None:
    del text


def _no_progress(done: int, total: int) -> None:
    del done, total


class Offered:
    """The exercises that submissions may be for, and their suites, each read once.

    Attributes:
        exercises: all of the checkout, or the only one.
    """

    def __init__(self, root: Path, exercise: str | None) -> None:
        """Read the exercises.

        Args:
            root: the checkout.
            exercise: the only one, which is graded even where another one of the checkout is
                broken.

        Raises:
            UsageError: there is none.
            ExerciseError: one of them is broken.
        """
        only = (load_exercise(exercise, root=root),) if exercise else None
        self.exercises: tuple[Exercise, ...] = only or tuple(list_exercises(root))
        self._suites: dict[str, Suite] = {}

    def suite(self, exercise: Exercise) -> Suite:
        """The hidden tests of one of them.

        Raises:
            ExerciseError: they cannot be read.
        """
        if exercise.id not in self._suites:
            self._suites[exercise.id] = load_suite(exercise.hidden_dir)
        return self._suites[exercise.id]


def prepare(
    path: Path,
    *,
    root: Path,
    exercise: str | None,
    seed: str | None,
    offered: Offered | None = None,
) -> Grading:
    """Everything that can be refused before a container starts.

    Args:
        path: the submission.
        root: the checkout.
        exercise: its id, or None where the submission decides.
        seed: 32 hexadecimal digits in place of the team's seed file.
        offered: the same exercises for many submissions, read once.

    Raises:
        SubmissionRejected: the submission cannot be graded.
        UsageError: the exercise is unknown or undecided.
    """
    offered = offered or Offered(root, exercise)
    submission = read_submission(path)
    chosen = detect_exercise(submission, offered.exercises, exercise)
    submission = for_entry(submission, chosen.entry)
    try:
        submission = resolve(submission, chosen)
    except SubmissionRejected as error:
        if not submission.sole:
            raise
        # Of a file that came alone people know the name that they gave it, not the contract's.
        message = str(error).replace(shown(submission.files[0].path), shown(submission.sole), 1)
        raise SubmissionRejected(error.code, message) from None
    secret = checked(seed, "--seed") if seed else team_seed(root / "hidden_tests")
    return Grading(
        submission,
        chosen,
        offered.suite(chosen),
        run_seed(secret, chosen.id, chosen.version),
    )


def run(
    worker: Worker,
    bench: Workbench,
    grading: Grading,
    *,
    out: Path,
    progress: Callable[[int, int], None] = _no_progress,
) -> Graded:
    """Grade one prepared submission and publish its results folder.

    Raises:
        PlatformError: the run is void; nothing is published.
    """
    started = dt.datetime.now(dt.UTC)
    clock = time.perf_counter()
    timings: dict[str, float] = {}
    submission, exercise = grading.submission, grading.exercise
    run_id = secrets.token_hex(8)
    results = ResultsFolder(out, f"{submission.name}-{submission.digest[:8]}")
    images = bench.images_for(exercise)
    meta: dict[str, object] = {
        "run": run_id,
        "exercise": exercise.id,
        "exercise_version": exercise.version,
        "suite": grading.suite.digest,
        "seed": grading.seed,
        "submission": submission.digest,
        "judge_image": images.judge,
        "analyst_image": images.analyst,
        "call_ms": int(exercise.limits.call_seconds * 1000),
        "load_ms": int(exercise.limits.load_seconds * 1000),
    }
    try:
        record = worker.run(
            exercise,
            submission,
            grading.suite,
            seed=grading.seed,
            transcript=results.draft / "transcript.gz",
            meta=meta,
            progress=progress,
            timings=timings,
        )
        timings["total"] = time.perf_counter() - clock
        engine = bench.engine.facts
        report = _report(
            grading,
            record,
            RunFacts(
                grader_version=grader.__version__,
                suite_digest=grading.suite.digest,
                scoring_digest=exercise.scoring_digest,
                seed_commitment=commitment(grading.seed),
                judge_image=images.judge,
                candidate_image=images.candidate,
                environment=EnvironmentFacts(
                    exercise.environment.python,
                    exercise.environment.digest,
                    exercise.environment.extra,
                ),
                limits=exercise.limits,
                collected=len(record.tests),
                judge_notes=tuple(record.notes),
            ),
            Moment(
                run_id=run_id,
                started=started.isoformat(timespec="seconds"),
                timings=timings,
                engine=f"{engine.product} {engine.version}",
                runtime=f"{engine.runtime} {engine.runtime_version}",
                warnings=warnings_of(engine),
                captures=tuple(
                    Capture(
                        test_id, CandidateText(output.decode("utf-8", "replace")), CandidateText("")
                    )
                    for test_id, output in sorted(record.captures.items())
                ),
            ),
        )
        if record.page:
            (results.draft / PAGE).write_text(record.page, encoding="utf-8")
        document = report_json.build_report(report)
        faults = _write(results.draft, document, grading, record.page or None)
        bind(results.draft, document, exercise.hidden_dir.parent)
        folder = results.publish()
    except OSError as error:
        results.drop()
        raise PlatformError(
            f"the results cannot be written below {out} ({error.strerror or error}); make room or "
            "choose another place with --out"
        ) from error
    except BaseException:
        results.drop()
        raise
    return Graded(report, folder, faults)


def _report(grading: Grading, record: RunRecord, facts: RunFacts, moment: Moment) -> Report:
    exercise, submission = grading.exercise, grading.submission
    tests = collected_tests(record.tests)
    check_suite(tests, exercise.rubric)
    evidence = evidence_of(tests, record.evidence)
    return Report(
        exercise_id=exercise.id,
        exercise_version=exercise.version,
        exercise_title=exercise.title,
        submission_name=submission.name,
        submission_digest=submission.digest,
        submission_notes=submission.notes
        + departure_notes(submission.notebook, record.departure, page=bool(record.page)),
        files=file_facts(submission),
        scorecard=score(evidence, exercise.rubric, exercise.expectation),
        expectation=exercise.expectation,
        sheet=exercise.sheet,
        evidence=evidence,
        run=facts,
        moment=moment,
        findings=findings_of(submission, exercise.rubric, evidence),
        notebook=facts_of(submission.notebook, record.fresh, page=bool(record.page))
        if submission.notebook and record.fresh
        else None,
    )


def _write(
    folder: Path, document: dict[str, Any], grading: Grading, page: str | None
) -> tuple[str, ...]:
    """Write what the run left and the pages made from it; says which page could not be made."""
    report_json.write_report(folder / "report.json", document)
    (folder / SUBMISSION).write_bytes(pack_files(grading.submission.files))
    # From what was stored, so that `grade report` makes the same pages again.
    stored = report_from(document)
    faults: list[str] = []
    given: Mapping[str, frozenset[bytes]] = {}
    try:
        given = handed_out(grading.exercise)
    except Exception as error:  # noqa: BLE001 - the run is over, and its verdicts count
        faults.append(f"what came with the task is not told apart: {unforeseen(error)}")
    starter = starter_files(grading.exercise)
    dossier = Dossier(stored, grading.submission.files, starter, page, given)
    for name in WRITTEN_WITH_EACH_RUN:
        try:
            made = render(name, dossier)
        except Exception as error:  # noqa: BLE001 - the run is over, and its verdicts count
            faults.append(f"{FORMATS[name].file} could not be made: {unforeseen(error)}")
        else:
            (folder / FORMATS[name].file).write_bytes(made)
    return tuple(faults)


def grade(
    path: str | Path,
    *,
    exercise: str | None = None,
    root: Path | None = None,
    out: Path | None = None,
    seed: str | None = None,
    say: Callable[[str], None] = _silent,
) -> Report:
    """Grade one submission.

    Args:
        path: a zip or tar archive, a folder, a single Python file or a single notebook.
        exercise: the exercise's id; needed where neither the submission nor the root decides it.
        root: the checkout with exercises and hidden tests; this package's own by default.
        out: where the results folder goes; ``results`` in the current folder by default.
        seed: 32 hexadecimal digits in place of the team's seed file.
        say: told each long step.

    Returns:
        The report; ``report.scorecard.overall`` is the score on 1-4.

    Raises:
        SubmissionRejected: the submission cannot be graded.
        UsageError: the exercise is unknown or undecided.
        PlatformError: the machine or the grader failed; there is no score.
    """
    root = root or project_root()
    grading = prepare(Path(path), root=root, exercise=exercise, seed=seed)
    bench = Workbench(say)
    with Worker(bench) as worker:
        return run(worker, bench, grading, out=out or Path("results")).report
