"""Labelled solutions graded without containers: the same tests, seeds, checks and rubric.

One process imports what the suites need and forks for each solution; in it every test has a
process of the candidate's own, as in the sandbox. There is no isolation, so what only the sandbox
can tell is graded there; see :func:`needs_sandbox`.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import pipeline
from grader.authoring.labelled import Outcome, sample, stage
from grader.errors import JudgeError
from grader.exercise.contract import load_exercise
from grader.exercise.service import service_meta
from grader.scoring.evidence import collected_tests, evidence_of
from grader.scoring.score import check_suite, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from grader.authoring.labelled import Case
    from grader.models import Exercise
    from grader.pipeline import Grading

__all__ = ["SECONDS", "grade_all", "is_too_new", "needs_sandbox", "sandbox_sample"]

SECONDS = 300.0  # after which the process of a grading is killed, if its exercise gives no more
_PROGRAM = ("-m", "grader.rehearsal.forks")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Correct solutions that ask something of the sandbox: files beside the module, threads, OpenMP.
_SANDBOX_STYLES = frozenset(
    {
        *("correct_package", "correct_sklearn", "correct_reads_ahead", "correct_card_time_folds"),
        *("correct_hist_boosting", "correct_parallel_search", "correct_smote_pipeline"),
        *("correct_threads_lock", "correct_worker_queue"),
    }
)
_Run = tuple["Case", str]


def needs_sandbox(case: Case) -> bool:
    """Whether only the sandbox can tell what a case gets.

    Notebooks, cases with limits of their own, those that write to ``/tmp`` by name (in author mode
    that is this machine's, where a file outlives its grading), and those in the syntax of a newer
    Python than this one.
    """
    return (
        bool(case.limits)
        or case.name.startswith("nb_")
        or _writes_to_tmp(case.folder)
        or is_too_new(case.folder)
    )


def is_too_new(folder: Path) -> bool:
    """Whether a solution is written in the syntax of a newer Python than this one."""
    path = folder / "solution.py"
    if not path.is_file():
        return False
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return True
    return False


def _writes_to_tmp(folder: Path) -> bool:
    return any(b"/tmp/" in path.read_bytes() for path in folder.rglob("*.p*") if path.is_file())


def sandbox_sample(cases: Sequence[Case]) -> list[Case]:
    """The cases of :func:`grader.authoring.labelled.sample` that the sandbox could change.

    Left out are correct ones in styles that ask nothing of it; those that need it are all there.
    """
    chosen = {
        case.name
        for case in sample(cases)
        if not case.name.startswith("correct_") or case.name in _SANDBOX_STYLES
    }
    return [case for case in cases if case.name in chosen or needs_sandbox(case)]


@dataclass(frozen=True)
class _Prepared:
    case: Case
    seed: str
    grading: Grading
    result: Path


def grade_all(
    runs: Iterable[_Run], *, root: Path, jobs: int = 2, share: int = 1, seconds: float = SECONDS
) -> Iterator[tuple[Case, str, Outcome]]:
    """Grade each case with its seed; outcomes come as they are ready.

    Args:
        runs: cases that do not need the sandbox.
        root: the checkout.
        jobs: how many at a time.
        share: of a case with defects, run every test that its label lets fail and one in so many
            of the others; the rest counts as passed. Which they are hangs on their names only.
        seconds: the most time that one may take, where its exercise's limit is below.

    Raises:
        JudgeError: a grading gave no result, or the suite has a fault.
        ValueError: a case needs the sandbox.
    """
    by_exercise: dict[str, list[_Run]] = {}
    for case, seed in runs:
        if needs_sandbox(case):
            raise ValueError(f"{case.exercise}/{case.name} needs the sandbox")
        by_exercise.setdefault(case.exercise, []).append((case, seed))
    for some in by_exercise.values():  # apart: a fork costs as much as its parent has imported
        with tempfile.TemporaryDirectory(prefix="author-mode-") as folder:
            limit = load_exercise(some[0][0].exercise, root=root).limits.wall_seconds
            options = (str(jobs), str(max(seconds, limit)))
            yield from _grade(some, Path(folder), root, options, share)


def _grade(
    runs: Sequence[_Run], folder: Path, root: Path, options: Sequence[str], share: int
) -> Iterator[tuple[Case, str, Outcome]]:
    waiting: dict[int, _Prepared] = {}
    lines = []
    for number, (case, seed) in enumerate(runs):
        submission = stage(case, folder / f"submission-{number}")
        grading = pipeline.prepare(submission, root=root, exercise=case.exercise, seed=seed)
        item = _Prepared(case, seed, grading, folder / f"result-{number}.json")
        waiting[number] = item
        suite = _unpacked(grading, folder / "suite")
        lines.append(json.dumps(_task(number, item, submission, suite, share)) + "\n")
    tasks = folder / "tasks"
    tasks.write_text("".join(lines), encoding="utf-8")
    with (
        tasks.open("rb") as stdin,
        subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, *_PROGRAM, *options],
            stdin=stdin,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                told = json.loads(line)
                item = waiting.pop(told["number"])
                if told["ended"]:
                    raise JudgeError(f"{item.case.exercise}/{item.case.name}: {told['ended']}")
                result = json.loads(item.result.read_text(encoding="utf-8"))
                yield item.case, item.seed, _outcome(result, item.case, item.grading.exercise)
        finally:
            process.terminate()
    if waiting:
        names = ", ".join(item.case.name for item in waiting.values())
        raise JudgeError(f"the author mode ended before these were graded: {names}")


def _unpacked(grading: Grading, folder: Path) -> Path:
    if not folder.exists():
        for name, data in grading.suite.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return folder


def _task(
    number: int, item: _Prepared, submission: Path, suite: Path, share: int
) -> dict[str, object]:
    """What :class:`grader.rehearsal.forks.Task` holds."""
    case, exercise = item.case, item.grading.exercise
    may_fail = case.failing | case.either if case.tests is None else case.tests
    return {
        "number": number,
        "name": case.name,
        "suite": str(suite),
        "submission": str(submission),
        "meta": {
            "entry": exercise.entry,
            "names": [function.name for function in exercise.functions],
            "methods": {f.name: list(f.methods) for f in exercise.functions if f.methods},
            "service": exercise.app is not None,
        },
        "preload": list(exercise.preload),
        "packages": sorted(exercise.packages),
        "seed": item.grading.seed,
        "call_ms": int(exercise.limits.call_seconds * 1000),
        "load_ms": int(exercise.limits.load_seconds * 1000),
        "reply_bytes": exercise.limits.reply_bytes,
        "may_fail": sorted(may_fail),
        "share": share if may_fail else 1,
        "result": str(item.result),
        "service": service_meta(exercise),
    }


def _outcome(told: dict[str, Any], case: Case, exercise: Exercise) -> Outcome:
    if told["faults"]:
        raise JudgeError(f"{case.exercise}/{case.name}: " + "\n".join(told["faults"]))
    criteria = exercise.rubric.criteria
    left_out = [{**test, "title": "", "hint": ""} for test in told["left_out"]]
    static = [item for item in told["static_evidence"] if item["criterion"] in criteria]
    tests = collected_tests(
        [
            *told["tests"],
            *left_out,
            *(test for test in told["static_tests"] if test["criterion"] in criteria),
        ]
    )
    check_suite(tests, exercise.rubric)
    evidence = evidence_of(tests, [*told["evidence"], *map(_passed, left_out), *static])
    card = score(evidence, exercise.rubric, exercise.expectation)
    failed = [e.test for e in evidence if e.test.id.startswith("test_") and e.status != "passed"]
    return Outcome(
        failing=frozenset(test.criterion for test in failed),
        tests=frozenset(test.id for test in failed),
        band=card.band.value,
        levels={c.id: c.level.name.lower() for c in card.categories if c.assessed},
        overall=card.overall,
        stable=b"",
        seconds=sum(item.seconds for item in evidence),
        test_seconds=sum(item.seconds for item in evidence),
        cpu_seconds=sum(told["cpu"]),
    )


def _passed(test: dict[str, str]) -> dict[str, object]:
    return {
        "id": test["id"],
        "status": "passed",
        "cause": "none",
        "message": "",
        "where": "",
        "calls": 0,
        "measurements": [],
        "wall_ns": 0,
    }
