"""Labelled solutions: submissions whose outcome is known, and how to hold a grading against it.

`grader.authoring.labels` says what a label holds and how the files of a solution are kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import queue
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from grader import pipeline
from grader.authoring import labels
from grader.authoring.labels import ENTRY, LABEL, Case, exercises, load_case, load_cases, sources
from grader.exercise.contract import load_exercise
from grader.report import report_json
from grader.sandbox.workbench import Workbench, Worker

__all__ = [
    "ENTRY",
    "LABEL",
    "Bench",
    "Case",
    "Outcome",
    "cheapest_last",
    "exercises",
    "load_case",
    "load_cases",
    "problems",
    "read_outcome",
    "sample",
    "seeds",
    "sources",
    "stage",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

MASTER = "takehome-grader corpus"
ONE_OF_MANY = ("wrong_", "pair_", "dishonest_")  # names of defects, of which there are dozens


@dataclass(frozen=True)
class Outcome:
    """What a grading gave, in a label's terms.

    Attributes:
        seconds: wall time of the grading.
        test_seconds: wall time of its tests.
        cpu_seconds: CPU time of judge and candidate together; not a number if it cannot be told.
    """

    failing: frozenset[str]
    tests: frozenset[str]
    band: str
    levels: Mapping[str, str]
    overall: float
    stable: bytes
    seconds: float
    test_seconds: float
    cpu_seconds: float


def sample(cases: Sequence[Case]) -> list[Case]:
    """Fewer cases that still hold every criterion to account, in the same order.

    All that must score full, mark a level or score nothing, and for each criterion one of the
    defects that cost it and as little else as possible.
    """
    defects = [case for case in cases if case.name.startswith(ONE_OF_MANY)]
    fewest_first = sorted(defects, key=lambda case: (len(case.failing), case.name))
    chosen = {
        next(case.name for case in fewest_first if criterion in case.failing)
        for criterion in frozenset().union(*(case.failing for case in defects))
    }
    return [case for case in cases if case not in defects or case.name in chosen]


def stage(case: Case, below: Path, *, as_notebook: bool = False) -> Path:
    """Write the files that a candidate would hand in; the label stays behind.

    Args:
        case: whose files.
        below: the folder to put them in.
        as_notebook: hand in a notebook of the same code in place of the module.

    Raises:
        PatchError: a patch does not apply exactly.
    """
    target = below / case.name
    target.mkdir(parents=True)
    files = sources(case)
    if as_notebook and ENTRY in files:
        files = labels.as_notebook(files, case.name)
    for name, data in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return target


def seeds(count: int) -> list[str]:
    """The 128-bit seeds that every run of this script uses; no team's seed is among them."""
    return [hashlib.sha256(f"{MASTER} {n}".encode()).hexdigest()[:32] for n in range(count)]


def read_outcome(report: Mapping[str, Any], seconds: float = 0.0) -> Outcome:
    """Read a ``report/1`` document."""
    score, evidence, volatile = report["score"], report["evidence"], report["volatile"]
    timings = volatile["timings"]
    hidden = [item for item in evidence if item["id"].startswith("test_")]  # not the style review
    failed = [item for item in hidden if item["status"] != "passed"]
    return Outcome(
        failing=frozenset(item["criterion"] for item in failed),
        tests=frozenset(item["id"] for item in failed),
        band=score["band"],
        levels={c["id"]: c["level_name"] for c in score["categories"] if c["assessed"]},
        overall=score["overall"],
        stable=report_json.stable_bytes(dict(report)),
        seconds=seconds,
        test_seconds=sum(item["seconds"] for item in volatile["tests"]),
        cpu_seconds=timings.get("judge_cpu", math.nan) + timings.get("candidate_cpu", math.nan),
    )


def problems(case: Case, outcome: Outcome) -> list[str]:
    """How an outcome differs from the label; empty when it holds."""
    found = []
    if outcome.failing - case.either != case.failing - case.either:
        found.append(f"failing criteria {sorted(outcome.failing)}, not {sorted(case.failing)}")
    if case.tests is not None and outcome.tests != case.tests:
        more, less = sorted(outcome.tests - case.tests), sorted(case.tests - outcome.tests)
        found.append(f"fails besides: {more}; passes against the label: {less}")
    if dict(outcome.levels) != dict(case.levels):
        found.append(f"levels {dict(outcome.levels)}, not {dict(case.levels)}")
    if outcome.band != case.band:
        found.append(f"band {outcome.band} ({outcome.overall:.2f}), not {case.band}")
    return found


class Bench:
    """One connection, one set of images and K workers for any number of gradings."""

    def __init__(
        self, jobs: int, say: Callable[[str], None], *, root: Path, as_notebooks: bool = False
    ) -> None:
        self._root = root
        self._as_notebooks = as_notebooks
        self._bench = Workbench(say)
        self._workers = [Worker(self._bench, number=n, ahead=True) for n in range(jobs)]
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._folder = tempfile.TemporaryDirectory(prefix="corpus-")
        self._pool = ThreadPoolExecutor(max_workers=jobs)
        self._count = 0

    def facts(self, exercises: Iterable[str]) -> tuple[str, ...]:
        """What its gradings by some exercises have in common: ids of images, and the engine."""
        engine = self._bench.engine.facts
        found = [
            self._bench.images_for(load_exercise(exercise, root=self._root))
            for exercise in sorted(exercises)
        ]
        images = [id_ for it in found for id_ in (it.judge, it.candidate, it.analyst)]
        told = (engine.product, engine.version, engine.runtime, engine.runtime_version)
        notebooks = "as notebooks" if self._as_notebooks else "as they are"
        return (*images, *map(str, told), notebooks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._folder.cleanup()

    def grade(self, jobs: Iterable[tuple[Case, str]]) -> Iterator[tuple[Case, str, Outcome]]:
        """Grade each case with its seed; results come as they are ready."""
        futures = {}
        for case, seed in jobs:
            self._count += 1
            folder = Path(self._folder.name) / str(self._count)
            futures[self._pool.submit(self._one, case, seed, folder)] = (case, seed)
        for future in as_completed(futures):
            yield (*futures[future], future.result())

    def _one(self, case: Case, seed: str, folder: Path) -> Outcome:
        submission = stage(case, folder, as_notebook=self._as_notebooks)
        grading = pipeline.prepare(submission, root=self._root, exercise=case.exercise, seed=seed)
        if case.limits:
            limits = dataclasses.replace(grading.exercise.limits, **case.limits)  # type: ignore[arg-type]
            exercise = dataclasses.replace(grading.exercise, limits=limits)
            grading = dataclasses.replace(grading, exercise=exercise)
        worker = self._idle.get()
        start = time.perf_counter()
        try:
            graded = pipeline.run(worker, self._bench, grading, out=folder / "results")
        finally:
            self._idle.put(worker)
        seconds = time.perf_counter() - start
        outcome = read_outcome(report_json.build_report(graded.report), seconds)
        shutil.rmtree(folder)
        return outcome


def cheapest_last(cases: Sequence[Case]) -> list[Case]:
    """Those that wait for a limit first, so that the others are graded meanwhile."""
    return sorted(cases, key=lambda case: (not case.limits, case.name))
