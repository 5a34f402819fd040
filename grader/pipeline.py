"""The steps of one grading, in order. This module orchestrates and decides nothing itself."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grader
from grader._entries import shown
from grader.binding import bind
from grader.errors import (
    PlatformError,
    ReplayMismatch,
    SubmissionRejected,
    UsageError,
    unforeseen,
)
from grader.evidence import collected_tests, evidence_of
from grader.exercise import detect_exercise, list_exercises, load_exercise
from grader.findings import findings_of
from grader.intake import read_submission
from grader.notebook.facts import PAGE, departure_notes, facts_of
from grader.notebook.resolve import resolve
from grader.report import report_json
from grader.report.dossier import Dossier, starter_files
from grader.report.formats import FORMATS, WRITTEN_WITH_EACH_RUN, render
from grader.report.model import Capture, Moment, Report, RunFacts, file_facts
from grader.report.stored import SUBMISSION, pack_files, report_from
from grader.results import ResultsFolder
from grader.rubric import check_suite, score
from grader.sandbox.doctor import warnings_of
from grader.sandbox.workbench import Replayer, Workbench, Worker
from grader.seeds import checked, commitment, run_seed, team_seed
from grader.suite import Suite, load_suite
from grader.text import CandidateText
from grader.transcript import read_meta, read_transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from grader.models import Evidence, Exercise, Submission
    from grader.sandbox.engine import Engine
    from grader.sandbox.relay import RunRecord

__all__ = ["Graded", "Grading", "Report", "grade", "prepare", "project_root", "replay", "run"]


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


def project_root() -> Path:
    """The checkout that this package was installed from.

    Raises:
        UsageError: it holds no exercises (the package was installed without its checkout).
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / "exercises").is_dir():
        raise UsageError(f"{root} holds no exercises/; name the checkout with --root")
    return root


def prepare(path: Path, *, root: Path, exercise: str | None, seed: str | None) -> Grading:
    """Everything that can be refused before a container starts.

    Raises:
        SubmissionRejected: the submission cannot be graded.
        UsageError: the exercise is unknown or undecided.
    """
    # A named exercise is graded even where another one of the checkout is broken.
    exercises = (load_exercise(exercise, root=root),) if exercise else list_exercises(root)
    entry = exercises[0].entry
    submission = read_submission(path, entry=entry)
    chosen = detect_exercise(submission, exercises, exercise)
    if chosen.entry != entry:
        submission = read_submission(path, entry=chosen.entry)
    try:
        submission = resolve(submission, chosen)
    except SubmissionRejected as error:
        if len(submission.files) > 1:
            raise
        # Of a file that came alone people know the name that they gave it, not the contract's.
        message = str(error).replace(shown(submission.files[0].path), shown(path.name), 1)
        raise SubmissionRejected(error.code, message) from None
    secret = checked(seed, "--seed") if seed else team_seed(root / "hidden_tests")
    return Grading(
        submission,
        chosen,
        load_suite(chosen.hidden_dir),
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
    meta: dict[str, object] = {
        "run": run_id,
        "exercise": exercise.id,
        "exercise_version": exercise.version,
        "suite": grading.suite.digest,
        "seed": grading.seed,
        "submission": submission.digest,
        "judge_image": bench.images.judge,
        "analyst_image": bench.images.analyst,
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
                rubric_digest=exercise.rubric.digest,
                seed_commitment=commitment(grading.seed),
                judge_image=bench.images.judge,
                candidate_image=bench.images.candidate,
                limits=exercise.limits,
                collected=len(record.tests),
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
        faults = _write(results.draft, report, grading, record.page or None)
        bind(results.draft, exercise.hidden_dir.parent)
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
        submission_notes=submission.notes + departure_notes(submission.notebook, record.departure),
        files=file_facts(submission),
        scorecard=score(
            evidence,
            exercise.rubric,
            seniority=exercise.seniority,
            expectations=exercise.expectations,
        ),
        expectation=exercise.expectations[exercise.seniority],
        evidence=evidence,
        run=facts,
        moment=moment,
        findings=findings_of(submission, exercise.rubric, evidence),
        notebook=facts_of(submission.notebook, record.fresh, page=bool(record.page))
        if submission.notebook and record.fresh
        else None,
    )


def _write(folder: Path, report: Report, grading: Grading, page: str | None) -> tuple[str, ...]:
    """Write what the run left and the pages made from it; says which page could not be made."""
    document = report_json.build_report(report)
    report_json.write_report(folder / "report.json", document)
    (folder / SUBMISSION).write_bytes(pack_files(grading.submission.files))
    # From what was stored, so that `grade report` makes the same pages again.
    stored = report_from(document)
    dossier = Dossier(stored, grading.submission.files, starter_files(grading.exercise), page)
    faults = []
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


def replay(
    folder: str | Path, *, root: Path | None = None, replayer: Replayer | None = None
) -> tuple[Evidence, ...]:
    """Recompute a run's verdicts and score from its transcript, without the candidate's code.

    Args:
        folder: a results folder.
        root: the checkout with the hidden tests of the run.
        replayer: reused for several replays; by default this one gets a container of its own.

    Returns:
        The evidence, equal to the recorded one.

    Raises:
        ReplayMismatch: other questions, verdicts or another score than in the recorded run, or the
            report is of another run than the transcript.
        UsageError: not a results folder, or the hidden tests are not those of the run.
    """
    root = root or project_root()
    folder = Path(folder)
    recorded = report_json.read_report(folder / "report.json")
    meta = read_meta(folder / "transcript.gz")
    exercise = load_exercise(str(meta["exercise"]), root=root)
    suite = load_suite(exercise.hidden_dir)
    if suite.digest != meta["suite"]:
        raise UsageError(
            f"the run used hidden tests {str(meta['suite'])[:12]}, {exercise.hidden_dir} holds "
            f"{suite.digest[:12]}; check out the version that the run was made with"
        )
    _check_of_one_run(recorded, meta)
    config = {key: meta[key] for key in ("seed", "call_ms", "load_ms")}
    with contextlib.ExitStack() as stack:
        bench = replayer or stack.enter_context(Replayer())
        image = _judge_image(bench.engine, str(meta["judge_image"]))
        recording = read_transcript(folder / "transcript.gz")
        record = bench.run(image, suite, recording, exercise, config=config)
    evidence = evidence_of(collected_tests(record.tests), record.evidence)
    again = report_json.stable_evidence(evidence)
    if again != recorded["evidence"]:
        raise ReplayMismatch(_first_difference(again, recorded["evidence"]))
    card = score(
        evidence,
        exercise.rubric,
        seniority=exercise.seniority,
        expectations=exercise.expectations,
    )
    expectation = exercise.expectations[exercise.seniority]
    block = json.loads(json.dumps(report_json.score_block(card, expectation)))
    if other := _departure(block, recorded["score"], "score"):
        changed = exercise.rubric.digest != recorded["run"]["rubric_digest"]
        why = "; the rubric is not that of the run" if changed else ""
        raise ReplayMismatch(f"the evidence is the recorded one, but the report's {other}{why}")
    return evidence


def _check_of_one_run(recorded: Mapping[str, Any], meta: Mapping[str, object]) -> None:
    """Hold that a report is of the very run that a transcript is of."""
    if commitment(str(meta["seed"])) != recorded["run"]["seed_commitment"]:
        raise ReplayMismatch("the transcript's seed is not the one that the report commits to")
    stated = {
        "run": recorded["volatile"]["run_id"],
        "submission": recorded["submission"]["digest"],
        "exercise": recorded["exercise"]["id"],
        "exercise_version": recorded["exercise"]["version"],
        "suite": recorded["run"]["suite_digest"],
        "judge_image": recorded["run"]["judge_image"],
    }
    if odd := [name for name, value in stated.items() if meta[name] != value]:
        raise ReplayMismatch(f"the report is not of the transcript's run: other {', '.join(odd)}")


def _departure(again: object, recorded: object, place: str) -> str:
    """The first place where a value is not the recorded one, and both; empty where none is."""
    if isinstance(again, dict) and isinstance(recorded, dict):
        pairs = [(key, again.get(key), recorded.get(key)) for key in {**again, **recorded}]
    elif isinstance(again, list) and isinstance(recorded, list) and len(again) == len(recorded):
        pairs = [(_label(new, n), new, recorded[n]) for n, new in enumerate(again)]
    elif isinstance(again, float) and isinstance(recorded, float | int):
        same = math.isclose(again, recorded, rel_tol=0.0, abs_tol=1e-9)  # another Python's sums
        return "" if same else f"{place} is {recorded} and not {again}"
    else:
        return "" if again == recorded else f"{place} is {recorded!r:.80} and not {again!r:.80}"
    told = (_departure(new, old, f"{place}.{key}") for key, new, old in pairs)
    return next((departure for departure in told if departure), "")


def _label(value: object, number: int) -> str:
    """What a place in a list is called: by the id of what is there, if it has one."""
    name = value.get("id") if isinstance(value, dict) else None
    return name if isinstance(name, str) else str(number)


def _judge_image(engine: Engine, image: str) -> str:
    if engine.image_id(image) is None:
        raise PlatformError(
            f"the judge image of that run, {image[:19]}…, is gone from this engine; "
            "a replay needs the very image"
        )
    return image


def _first_difference(again: Sequence[object], recorded: Sequence[object]) -> str:
    for new, old in zip(again, recorded, strict=False):
        if new != old:
            name = old.get("id") if isinstance(old, dict) else "?"
            return f"the replay's verdict of {name} differs from the recorded one"
    return f"the replay has {len(again)} verdicts, the report {len(recorded)}"
