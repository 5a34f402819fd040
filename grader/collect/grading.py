"""Grading many submissions, each once: what a results folder already answers is not graded again.

A finished run is a folder that was renamed into place, and its report says what was graded by what.
So there is no journal to lose: after any interruption the folders are read, and what is missing is
graded. One process at a time may work on an output folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import queue
import shutil
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from grader import pipeline
from grader.errors import GraderError, PlatformError, UsageError, unforeseen
from grader.record.seeds import commitment
from grader.report.report_json import read_report
from grader.report.stored import report_from
from grader.sandbox.workbench import Workbench, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from grader.models import Exercise
    from grader.pipeline import Graded, Grading
    from grader.report.model import Report

__all__ = [
    "Bench",
    "Done",
    "Key",
    "Results",
    "Sandbox",
    "Task",
    "Work",
    "grade_each",
    "key_in",
    "key_of",
    "runs_in",
    "sandboxes",
]

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Task:
    """One submission to be graded: where it lies, and what decides its score."""

    path: Path
    key: Key


@dataclass(frozen=True, slots=True)
class Done:
    """A finished run that came from elsewhere.

    Attributes:
        folder: holds the run.
        faults: pages that could not be made, and why; the score stands without them.
    """

    folder: Path
    faults: tuple[str, ...] = ()


class Bench(Protocol):
    """What grades: a sandbox, or in a test something faster."""

    def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
        """Grade one submission into a folder below `out`.

        Args:
            grading: the submission and what it is graded by.
            out: the folder of all runs.
            last: no other submission follows on this bench.

        Raises:
            GraderError: there is no score.
        """

    def close(self) -> None:
        """Give everything back."""


class Sandbox:
    """A worker with its containers, started on first use."""

    def __init__(self, bench: Workbench, number: int) -> None:
        self._bench = bench
        self._worker = Worker(bench, number=number)

    def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
        """Run it in the sandbox."""
        self._worker.ahead = not last
        return pipeline.run(self._worker, self._bench, grading, out=out)

    def close(self) -> None:
        """Remove the containers."""
        self._worker.close()


def key_of(grading: Grading) -> Key:
    """What a score depends on: the submission, the exercise, its tests, and the seed.

    The rubric does not belong to it: a changed one scores the stored evidence again.
    """
    return (
        grading.exercise.id,
        grading.exercise.version,
        grading.submission.digest,
        grading.suite.digest,
        commitment(grading.seed),
    )


class Results:
    """The finished runs of an output folder, locked for this process while it is in use."""

    def __init__(self, out: Path) -> None:
        self.folder = out / "runs"
        self._known: dict[Key, Path] = {}
        self.again = 0

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise UsageError(f"{self.folder} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise UsageError(
                f"another grade collect is at work in {self.folder.parent}; wait for it to end"
            ) from None
        for draft in self.folder.glob(".*.draft"):  # of a run that was killed
            shutil.rmtree(draft, ignore_errors=True)
        for folder, _, key in runs_in(self.folder):
            self._known.setdefault(key, folder)
        return self

    def __exit__(self, *exc: object) -> None:
        self._lock.close()

    def find(self, key: Key) -> Path | None:
        """The folder of the run that answers `key`."""
        return self._known.get(key)

    def add(self, key: Key, folder: Path) -> None:
        """Remember a run that just ended."""
        self._known[key] = folder

    def samples(self) -> Iterator[dict[str, Any]]:
        """One finished run's report for each exercise, as stored."""
        found: dict[str, Path] = {}
        for key, folder in self._known.items():
            found.setdefault(key[0], folder)
        for folder in found.values():
            yield read_report(folder / "report.json")

    def report(self, key: Key) -> Report:
        """The report of a finished run."""
        return report_from(read_report(self._known[key] / "report.json"))


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be graded, and what for.

    Attributes:
        tasks: each submission once.
        prepare: intake of one path.
        exercises: reads those that submissions may be for.
        seeds: exercise → the run's seed.
        results: the folder of all runs, locked.
        hidden_root: the folder ``hidden_tests``.
    """

    tasks: Sequence[Task]
    prepare: Callable[[Path], Grading]
    exercises: Callable[[], Sequence[Exercise]]
    seeds: Mapping[str, str]
    results: Results
    hidden_root: Path

    def used(self) -> list[Exercise]:
        """The exercises of the tasks."""
        ids = {task.key[0] for task in self.tasks}
        return [exercise for exercise in self.exercises() if exercise.id in ids]


def runs_in(folder: Path) -> Iterator[tuple[Path, dict[str, Any], Key]]:
    """The finished runs of a folder in name order: where each lies, its report, what it answers."""
    for file in sorted(folder.glob("*/report.json")):
        with contextlib.suppress(UsageError):  # not a run of ours, or a damaged one
            report = read_report(file)
            yield file.parent, report, key_in(report)


def key_in(report: dict[str, dict[str, str]]) -> Key:
    """What a finished run answers, by its report."""
    return (
        report["exercise"]["id"],
        report["exercise"]["version"],
        report["submission"]["digest"],
        report["run"]["suite_digest"],
        report["run"]["seed_commitment"],
    )


def grade_each(
    tasks: Sequence[Task],
    prepare: Callable[[Path], Grading],
    benches: Sequence[Callable[[], Bench]],
    out: Path,
) -> Iterator[tuple[Task, Graded | GraderError]]:
    """Grade tasks on several benches at a time; yields as they end.

    Only as many submissions are in memory as there are benches. If the caller stops, nothing new
    begins, and every bench is closed.
    """
    crew = _Crew(tasks, prepare, out)
    threads = [
        threading.Thread(target=crew.serve, args=(make,), daemon=True)
        for make in benches[: max(1, len(tasks))]
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            yield crew.next(threads)
    finally:
        crew.dismiss()
        for thread in threads:
            thread.join()


class _Crew:
    """Threads that take tasks from one queue and put what came of them into another."""

    def __init__(
        self, tasks: Sequence[Task], prepare: Callable[[Path], Grading], out: Path
    ) -> None:
        self._prepare, self._out = prepare, out
        self._waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[Task, Graded | BaseException]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._benches: list[Bench] = []
        for task in tasks:
            self._waiting.put(task)

    def serve(self, make: Callable[[], Bench]) -> None:
        """Grade until nothing is left; what goes wrong goes to the caller's thread."""
        bench: Bench | None = None
        while not self._stop.is_set():
            try:
                task = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                grading = self._prepare(task.path)
                if bench is None:
                    bench = make()
                    self._benches.append(bench)
                done = bench.grade(grading, self._out, last=self._waiting.empty())
                self._ended.put((task, done))
            except GraderError as error:
                self._ended.put((task, error))
            except Exception as error:  # noqa: BLE001 - a defect of ours costs one submission
                self._ended.put((task, unforeseen(error)))
            except BaseException as error:  # noqa: BLE001 - raised again where it is read
                self._ended.put((task, error))
                return

    def next(self, threads: Sequence[threading.Thread]) -> tuple[Task, Graded | GraderError]:
        """Wait for the next task that ends."""
        while True:
            alive = any(thread.is_alive() for thread in threads)
            try:
                task, outcome = self._ended.get(timeout=0.2)  # short, so that a signal is served
            except queue.Empty:
                if not alive:
                    raise PlatformError("grading ended early; run it again") from None
                continue
            if isinstance(outcome, BaseException) and not isinstance(outcome, GraderError):
                raise outcome
            return task, outcome

    def dismiss(self) -> None:
        """Begin nothing new, and close every bench."""
        self._stop.set()
        for bench in self._benches:
            bench.close()


def sandboxes(say: Callable[[str], None], jobs: int) -> list[Callable[[], Bench]]:
    """So many workers in one sandbox, which is set up when the first of them is needed."""
    lock = threading.Lock()
    shared: list[Workbench] = []

    def make(number: int) -> Bench:
        with lock:
            if not shared:
                shared.append(Workbench(say))
        return Sandbox(shared[0], number)

    return [lambda number=number: make(number) for number in range(jobs)]  # type: ignore[misc]
