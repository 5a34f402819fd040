"""Labelled solutions: submissions whose outcome is known, and how to hold a grading against it.

A labelled solution is a folder ``hidden_tests/<exercise>/solutions/<case>`` with the candidate's
files and an ``expected.toml``::

    about = "The mean in place of the median."
    source = "exercises/imputation/starter"    # optional: the files are elsewhere
    failing = ["core"]                          # exactly these criteria have a failed hidden test
    either = ["core"]                           # optional: it hangs on the seed whether these do
    tests = ["test_core.py::test_fills_an_export", …]   # optional: exactly these tests fail
    band = "meets"
    [levels]                                    # of every assessed category
    code_correctness = "okay"
    [limits]                                    # optional, to make a hopeless case cheap
    wall_seconds = 8
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import queue
import shutil
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from grader import pipeline
from grader.notebook.convert import notebook_of
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
    "stage",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

LABEL = "expected.toml"
ENTRY = "solution.py"
MASTER = "takehome-grader corpus"
ONE_OF_MANY = ("wrong_", "pair_", "dishonest_")  # names of defects, of which there are dozens
KEYS = {"about", "source", "failing", "either", "tests", "band", "levels", "limits"}


@dataclass(frozen=True)
class Case:
    """One labelled solution.

    Attributes:
        files: the folder that holds the candidate's files.
        either: criteria of which the seed decides, in a solution that is at the edge of what they
            ask for. The levels and the band must be the same both ways.
        levels: category → level name; a category that is missing here must not be assessed.
    """

    exercise: str
    name: str
    folder: Path
    files: Path
    failing: frozenset[str]
    either: frozenset[str]
    tests: frozenset[str] | None
    band: str
    levels: Mapping[str, str]
    limits: Mapping[str, float]


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


def load_case(folder: Path, exercise: str, root: Path) -> Case:
    """Read one label.

    Raises:
        ValueError: it has other keys than a label has.
    """
    raw = tomllib.loads((folder / LABEL).read_text(encoding="utf-8"))
    if unknown := raw.keys() - KEYS:
        raise ValueError(f"{folder / LABEL}: unknown keys {sorted(unknown)}")
    return Case(
        exercise=exercise,
        name=folder.name,
        folder=folder,
        files=root / raw["source"] if "source" in raw else folder,
        failing=frozenset(raw["failing"]),
        either=frozenset(raw.get("either", ())),
        tests=frozenset(raw["tests"]) if "tests" in raw else None,
        band=raw["band"],
        levels=raw["levels"],
        limits=raw.get("limits", {}),
    )


def exercises(root: Path) -> list[str]:
    """All exercises that have labelled solutions."""
    folders = (root / "hidden_tests").glob(f"*/solutions/*/{LABEL}")
    return sorted({folder.parents[2].name for folder in folders})


def load_cases(exercise: str, root: Path) -> list[Case]:
    """All labelled solutions of an exercise, by name."""
    folder = root / "hidden_tests" / exercise / "solutions"
    return [load_case(path.parent, exercise, root) for path in sorted(folder.glob(f"*/{LABEL}"))]


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
    """Copy the files that a candidate would hand in; the label stays behind.

    Args:
        case: whose files.
        below: the folder to put them in.
        as_notebook: hand in a notebook of the same code in place of the module.
    """
    target = below / case.name
    left_out = shutil.ignore_patterns(LABEL, "__pycache__", ".pytest_cache", "*.pyc")
    shutil.copytree(case.files, target, ignore=left_out)
    module = target / ENTRY
    if as_notebook and module.exists():
        notebook = notebook_of(module.read_text(encoding="utf-8"), case.name.replace("_", " "))
        module.with_suffix(".ipynb").write_bytes(notebook)
        module.unlink()
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

    @property
    def facts(self) -> tuple[str, ...]:
        """What gradings of it have in common: ids of the images, and the engine."""
        engine = self._bench.engine.facts
        images = self._bench.images
        told = (engine.product, engine.version, engine.runtime, engine.runtime_version)
        notebooks = "as notebooks" if self._as_notebooks else "as they are"
        return (images.judge, images.candidate, images.analyst, *map(str, told), notebooks)

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
