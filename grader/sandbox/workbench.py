"""Engine, images and containers for one command: started early, used once, always removed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from grader.errors import AnsweredJudgeError, GraderError, PlatformError, SandboxError
from grader.models import Submission, SubmissionFile
from grader.notebook.page import page_of
from grader.record.transcript import TranscriptWriter
from grader.sandbox.analyst_box import (
    CODE_CRITERIA,
    AnalystBox,
    add_review,
    came_to_nothing,
    wants_review,
)
from grader.sandbox.boxes import CandidateBox, JudgeBox, when_ready
from grader.sandbox.charging import Charging
from grader.sandbox.engine import Engine
from grader.sandbox.images import Images, ensure_images
from grader.sandbox.ran import hold_against
from grader.sandbox.relay import LiveCandidate, RunRecord, relay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from grader.exercise.suite import Suite
    from grader.models import Exercise, Limits
    from grader.notebook.fresh import FreshRun
    from grader.wire.frames import Frame

__all__ = ["Workbench", "Worker"]

_SLOTS_A_WORKER = 16
_HARMLESS = Submission(
    "harmless", Path("harmless"), "", files=(SubmissionFile("solution.py", b"X = 1\n"),)
)


@dataclass(frozen=True, slots=True)
class _For:
    """What a candidate's container was started for; it fits nothing else."""

    exercise: str
    image: str
    limits: Limits
    notebook: bool


class Workbench:
    """What a command needs once: a connection, swept leftovers, images.

    Args:
        say: told each long step as one short line.

    Raises:
        PrerequisiteError: no engine.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.engine = Engine()
        self.swept = self.engine.sweep()
        self._say = say
        self._images: dict[str, Images] = {}
        self._lock = threading.Lock()

    def images_for(self, exercise: Exercise) -> Images:
        """The images of an exercise's environment, built on first use.

        Raises:
            ExerciseError: the exercise's lock does not match its requirements.
            PrerequisiteError: no base image, or packages that cannot be fetched.
            SandboxError: a build failed.
        """
        environment = exercise.environment
        with self._lock:
            if environment.digest not in self._images:
                found = ensure_images(self.engine, environment, self._say)
                self._images[environment.digest] = found
            return self._images[environment.digest]


class Worker:
    """A judge container an image, and a candidate and an analyst for each run; one run at a time.

    Args:
        number: which worker of the command this is; it keeps user ids apart.
        ahead: start the next candidate's container while the current one is graded; may be changed
            between runs.
    """

    def __init__(self, bench: Workbench, *, number: int = 0, ahead: bool = False) -> None:
        self._bench = bench
        self._number = number
        self.ahead = ahead
        self._pool = ThreadPoolExecutor(max_workers=6)
        self._slot = 0
        self._lock = threading.Lock()
        self._closed = False
        self._judges: dict[str, Future[JudgeBox]] = {}  # by image
        self._next: tuple[_For, Future[CandidateBox]] | None = None
        self._next_analyst: tuple[str, Future[AnalystBox]] | None = None

    def _start_judge(self, image: str) -> JudgeBox:
        return when_ready(JudgeBox(self._bench.engine, image, slot=self._number))

    def _judge_for(self, exercise: Exercise) -> Future[JudgeBox]:
        image = self._bench.images_for(exercise).judge
        with self._lock:
            self._check_open()
            if image not in self._judges:
                self._judges[image] = self._pool.submit(self._start_judge, image)
            return self._judges[image]

    def _check_open(self) -> None:
        if self._closed:
            raise PlatformError("this worker was closed, most likely by an interrupt")

    def _start_candidate(self, exercise: Exercise, *, notebook: bool) -> CandidateBox:
        bench, slot = self._bench, self._new_slot()
        image = bench.images_for(exercise).candidate
        return when_ready(CandidateBox(bench.engine, image, exercise, slot=slot, notebook=notebook))

    def _start_analyst(self, image: str) -> AnalystBox:
        return when_ready(AnalystBox(self._bench.engine, image, slot=self._new_slot()))

    def _for(self, exercise: Exercise, *, notebook: bool) -> _For:
        image = self._bench.images_for(exercise).candidate
        return _For(exercise.id, image, exercise.limits, notebook)

    def _new_slot(self) -> int:
        """A number that no other container alive has."""
        with self._lock:
            self._slot = (self._slot + 1) % _SLOTS_A_WORKER
            return self._number * _SLOTS_A_WORKER + self._slot

    def warm(self, exercise: Exercise, *, notebook: bool = False) -> None:
        """Start the containers for a run that is about to come.

        Args:
            exercise: what it will be graded by.
            notebook: it will be a notebook's. A container that knows so is ready for it sooner;
                one that does not can take it as well, but not the other way round: a module must
                not find IPython in its process.
        """
        self._judge_for(exercise)
        image = self._bench.images_for(exercise).analyst
        with self._lock:
            self._check_open()
            if self._next is None:
                starting = self._pool.submit(self._start_candidate, exercise, notebook=notebook)
                self._next = (self._for(exercise, notebook=notebook), starting)
            if self._next_analyst is None and wants_review(exercise):
                self._next_analyst = image, self._pool.submit(self._start_analyst, image)

    def _review(
        self, exercise: Exercise, submission: Submission, fresh: FreshRun | None
    ) -> Future[tuple[list[Frame], AnalystBox]] | None:
        """Let the analyst read the submission meanwhile; its container goes when it is done."""
        ready, self._next_analyst = self._next_analyst, None
        image = self._bench.images_for(exercise).analyst
        if ready is not None and ready[0] != image:  # it was started for another exercise
            _discard(ready[1])
            ready = image, self._pool.submit(self._start_analyst, image)
        if ready is None and submission.notebook is None:
            return None
        if ready is None:  # no check of it counts here, but it makes the page
            ready = image, self._pool.submit(self._start_analyst, image)
        starting = box_to_come = ready[1]

        def job() -> tuple[list[Frame], AnalystBox]:
            box = box_to_come.result()
            try:
                frames = box.review(exercise, submission, fresh)
            finally:
                box.remove()
            if came_to_nothing(frames):
                self._try_analyst(exercise)
            return frames, box

        try:
            return self._pool.submit(job)
        except RuntimeError as error:  # closed meanwhile
            _discard(starting)
            raise PlatformError("this worker was closed, most likely by an interrupt") from error

    def _try_analyst(self, exercise: Exercise) -> None:
        """Tell a submission that crashes the analyst from a machine on which it always crashes.

        Raises:
            SandboxError: an analyst cannot review a submission of one harmless line either.
        """
        box = self._start_analyst(self._bench.images_for(exercise).analyst)
        try:
            frames = box.review(exercise, _HARMLESS)
        finally:
            box.remove()
        if came_to_nothing(frames):
            raise SandboxError(
                "the analyst container cannot review any code on this machine; try "
                "`grade doctor --sandbox`, or another container runtime (GRADER_RUNTIME)"
            )

    def _take(self, exercise: Exercise, *, notebook: bool) -> CandidateBox:
        ready, self._next = self._next, None
        fit = {self._for(exercise, notebook=kind) for kind in (False, notebook)}
        if ready is not None and ready[0] in fit:
            return ready[1].result()
        if ready is not None:
            _discard(ready[1])
        return self._start_candidate(exercise, notebook=notebook)

    def run(
        self,
        exercise: Exercise,
        submission: Submission,
        suite: Suite,
        *,
        seed: str,
        transcript: Path,
        meta: Mapping[str, object],
        progress: Callable[[int, int], None],
        timings: dict[str, float],
    ) -> RunRecord:
        """Grade one submission.

        Args:
            exercise: what it is graded by.
            submission: what is graded.
            suite: the hidden tests.
            seed: of generated inputs, 32 hexadecimal digits.
            transcript: where the transcript is written.
            meta: what its first line says besides the schema.
            progress: called with the number of tests done and their total.
            timings: filled with seconds by step, and with the CPU seconds of both containers.

        A fault of the judge's that follows an answer of the candidate's is tried once more in a
        fresh judge. If it comes again, the test that was running fails, and the others count.

        Raises:
            PlatformError: the run is void. The next run gets a judge of its own.
        """
        charging = Charging()
        while True:
            try:
                return self._run(
                    exercise,
                    submission,
                    suite,
                    seed=seed,
                    transcript=transcript,
                    meta={**meta, **charging.config()},
                    progress=progress,
                    timings=timings,
                    charging=charging,
                )
            except AnsweredJudgeError as error:
                self._drop_judge(exercise)
                charging = charging.after(error)
            except BaseException:
                self._drop_judge(exercise)
                raise

    def _drop_judge(self, exercise: Exercise) -> None:
        """Let the next run begin with a judge of its own; it is started at once."""
        image = self._bench.images_for(exercise).judge
        with self._lock:  # a judge that was started beside `close` would stay behind
            if not self._closed:
                if image in self._judges:
                    _discard(self._judges.pop(image))
                self._judges[image] = self._pool.submit(self._start_judge, image)

    def _run(
        self,
        exercise: Exercise,
        submission: Submission,
        suite: Suite,
        *,
        seed: str,
        transcript: Path,
        meta: Mapping[str, object],
        progress: Callable[[int, int], None],
        timings: dict[str, float],
        charging: Charging,
    ) -> RunRecord:
        clock = time.perf_counter()
        notebook = submission.notebook is not None
        self.warm(exercise, notebook=notebook)
        review = None if notebook else self._review(exercise, submission, None)
        box = self._take(exercise, notebook=notebook)
        try:
            box.give(submission, wall_seconds=exercise.limits.wall_seconds)
            fresh = box.run_notebook(submission)
            judge = self._judge_for(exercise).result()
        except BaseException:
            box.remove()
            raise
        review = review or self._review(exercise, submission, fresh)
        timings["containers"] = time.perf_counter() - clock
        clock = time.perf_counter()
        spent = {name: _cpu_seconds(it) for name, it in (("judge", judge), ("candidate", box))}

        def settle() -> None:
            ahead = (self._next_analyst, self._next)
            for future in (review, *(ready[1] for ready in ahead if ready)):
                if future:
                    future.exception()  # waits; an error is told where its result is needed

        with TranscriptWriter(transcript, dict(meta)) as writer:
            candidate = LiveCandidate(
                box,
                replace=lambda left: self._replacement(exercise, submission, left),
                limits=exercise.limits,
                transcript=writer,
                judge=judge,
                settle=settle,
            )
            try:
                judge.begin(
                    suite.digest, suite.files, {**_config(exercise, seed), **charging.config()}
                )
                if self.ahead:
                    self.warm(exercise)
                record = relay(judge, candidate, progress)
                if review:
                    frames, analyst = review.result()
                    frames = hold_against(frames, candidate.ran, analyst.read, CODE_CRITERIA)
                    for frame in frames:
                        writer.review(frame)
                    add_review(record, frames, exercise)
                    record.page = page_of(analyst.page, submission.name)
                    record.departure = analyst.departure
                record.fresh = fresh
            finally:
                timings["tests"] = time.perf_counter() - clock
                timings["judge_cpu"] = max(_cpu_seconds(judge) - spent["judge"], 0.0)
                timings["candidate_cpu"] = max(_cpu_seconds(box) - spent["candidate"], 0.0)
                clock = time.perf_counter()
                candidate.close()
                timings["teardown"] = time.perf_counter() - clock
        return record

    def _replacement(
        self, exercise: Exercise, submission: Submission, left: float
    ) -> CandidateBox | None:
        """Another container that holds the submission; None where it is not up in so many seconds.

        A machine under a resource attack can take seconds for it, and a run ends in time.
        """

        def start() -> CandidateBox:
            box = self._start_candidate(exercise, notebook=submission.notebook is not None)
            try:
                box.give(submission, wall_seconds=left)
            except BaseException:
                box.remove()
                raise
            return box

        starting = self._pool.submit(start)
        try:
            return starting.result(timeout=left)
        except TimeoutError:
            starting.add_done_callback(_discard)
            return None

    def close(self) -> None:
        """Remove every container of this worker; a run that goes on in a thread fails.

        Raises:
            SandboxError: a container could not be removed. All of them have been tried.
        """
        with self._lock:
            self._closed = True
        ahead = [ready[1] for ready in (self._next, self._next_analyst) if ready]
        waiting = [*ahead, *self._judges.values()]
        self._next = self._next_analyst = None
        errors = []
        for starting in waiting:
            try:
                _discard(starting)
            except GraderError as error:
                errors.append(error)
        self._pool.shutdown(wait=True, cancel_futures=True)
        if errors:
            raise errors[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _cpu_seconds(box: CandidateBox | JudgeBox) -> float:
    """CPU time of a container so far; 0 where the engine does not show it, or it is gone."""
    cgroup = box.container.cgroup
    return max(cgroup.cpu_ns(), 0) / 1e9 if cgroup else 0.0


def _discard(
    future: Future[CandidateBox] | Future[JudgeBox] | Future[AnalystBox],
) -> None:
    if future.cancel():
        return
    if future.exception() is None:
        future.result().remove()


def _config(exercise: Exercise, seed: str) -> dict[str, object]:
    return {
        "seed": seed,
        "call_ms": int(exercise.limits.call_seconds * 1000),
        "load_ms": int(exercise.limits.load_seconds * 1000),
    }
