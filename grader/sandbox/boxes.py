"""A candidate container and a judge container as the relay sees them: ready, or an error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from grader.errors import JudgeError, SandboxError
from grader.exercise.service import service_meta
from grader.notebook.fresh import read_run
from grader.sandbox.hardening import ContainerSpec
from grader.sandbox.stream import StreamClosedError, StreamTimeoutError
from grader.wire.frames import Frame, FrameError, Kind, pack_bundle, pack_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.models import Exercise, Submission
    from grader.notebook.fresh import FreshRun
    from grader.sandbox.engine import Container, Engine

__all__ = ["CandidateBox", "JudgeBox", "when_ready"]

READY_SECONDS = 60.0
JUDGE_THINKS_SECONDS = 120.0
_SMALL = 1 << 16
_JUDGE_FRAME = 1 << 30
_RUN_FRAME = 33 << 20
GRACE_SECONDS = 2.0  # the supervisor's own deadline comes first
LIFETIME = 3600.0


class CandidateBox:
    """One candidate container, used for one submission and destroyed.

    Args:
        slot: a number that no other container alive has; it makes the user id unique.
        notebook: load what a notebook needs beside the start of other containers, not after it.
    """

    def __init__(
        self, engine: Engine, image: str, exercise: Exercise, *, slot: int, notebook: bool = False
    ) -> None:
        spec = ContainerSpec.candidate(
            image, exercise.limits, slot=slot, labels={}, notebook=notebook
        )
        self.container: Container = engine.start(
            spec, lifetime=LIFETIME + exercise.limits.wall_seconds
        )
        self._exercise = exercise

    def wait_ready(self) -> None:
        """Wait for the supervisor's first frame.

        Raises:
            SandboxError: it did not come; the message ends with what it wrote to stderr.
        """
        self._expect_ready(0, READY_SECONDS)

    def give(self, submission: Submission, *, wall_seconds: float) -> None:
        """Hand over the submission; packages that it names are imported before it is loaded."""
        limits = self._exercise.limits
        notebook = submission.notebook
        meta = {
            "notebook": notebook.for_candidate(limits.call_seconds) if notebook else None,
            "entry": notebook.path if notebook else self._exercise.entry,
            "functions": [function.name for function in self._exercise.functions],
            "packages": sorted(self._exercise.packages),
            "preload": _named(self._exercise.preload, submission),
            "generators": list(self._exercise.environment.generators),
            "reply_bytes": limits.reply_bytes,
            "output_bytes": limits.output_bytes,
            "wall_ms": int(wall_seconds * 1000),
            **service_meta(self._exercise),
        }
        body = pack_bundle(meta, {file.path: file.data for file in submission.files})
        try:
            self.container.stream.send(
                Frame(Kind.SUBMISSION, 1, body).pack(), deadline=time.monotonic() + READY_SECONDS
            )
        except (StreamClosedError, StreamTimeoutError) as error:
            raise SandboxError(
                f"the candidate container does not take the submission: {error}"
            ) from error
        self._expect_ready(1, READY_SECONDS)

    def run_notebook(self, submission: Submission) -> FreshRun | None:
        """Run the notebook once, for the report; None where there is none.

        Whatever becomes of it is the candidate's doing: a container that falls silent is what the
        judge's first question will meet.
        """
        if submission.notebook is None:
            return None
        seconds = self._exercise.limits.load_seconds
        deadline = time.monotonic() + seconds + GRACE_SECONDS
        question = Frame(Kind.RUN_NOTEBOOK, 2, b"", int(seconds * 1000))
        try:
            self.container.stream.send(question.pack(), deadline=deadline)
            frame = self.container.stream.read_frame(deadline=deadline, limit=_RUN_FRAME)
        except (StreamClosedError, StreamTimeoutError, FrameError):
            return read_run(b"", submission.notebook)
        if frame.kind is not Kind.NOTEBOOK_RAN:
            return read_run(b"", submission.notebook)
        return read_run(frame.body, submission.notebook)

    def _expect_ready(self, number: int, seconds: float) -> None:
        stream = self.container.stream
        try:
            frame = stream.read_frame(deadline=time.monotonic() + seconds, limit=_SMALL)
        except (StreamClosedError, StreamTimeoutError, FrameError) as error:
            told = stream.stderr_tail.decode("utf-8", "replace").strip()
            raise SandboxError(
                f"the candidate container did not come up ({type(error).__name__}): {told[-2000:]}"
            ) from error
        if frame.kind is not Kind.READY or frame.number != number:
            raise SandboxError(f"the candidate container began with {frame.kind.name}")

    def remove(self) -> None:
        """Kill and remove the container."""
        self.container.remove()


class _Startable(Protocol):
    def wait_ready(self) -> None: ...

    def remove(self) -> None: ...


_BoxT = TypeVar("_BoxT", bound=_Startable)


def when_ready(box: _BoxT) -> _BoxT:
    """Wait for a container that was just started; one that does not come up is removed."""
    try:
        box.wait_ready()
    except BaseException:
        box.remove()
        raise
    return box


_SOURCES = (".py", ".ipynb")
_DRAWING = (b"matplotlib", b".plot(", b".plot.", b".hist(")
_FIGURES = ("matplotlib.pyplot", "pandas.plotting._matplotlib")


def _named(preload: tuple[str, ...], submission: Submission) -> list[str]:
    """The modules worth importing once: those whose package some Python file mentions."""
    sources = [file.data for file in submission.files if file.path.endswith(_SOURCES)]
    found = [
        module
        for module in preload
        if any(module.partition(".")[0].encode() in source for source in sources)
    ]
    draws = any(mark in source for mark in _DRAWING for source in sources)
    return [*found, *_FIGURES] if draws else found


class JudgeBox:
    """The judge container: long-lived, one run at a time, a forked process for each."""

    def __init__(self, engine: Engine, image: str, *, slot: int) -> None:
        spec = ContainerSpec.judge(image, slot=slot, labels={})
        self.container: Container = engine.start(spec, lifetime=24 * LIFETIME)
        self._suites: set[str] = set()
        self._numbers = 0

    def wait_ready(self) -> None:
        """Wait for its first frame."""
        self._expect(Kind.JUDGE_READY)

    def begin(self, suite: str, files: Mapping[str, bytes], config: Mapping[str, object]) -> None:
        """Store the suite unless it is there, then start a run.

        Args:
            suite: digest of the suite, which names it.
            files: relative path to content.
            config: the RUN frame's fields.
        """
        if suite not in self._suites:
            self._send(Kind.SUITE, pack_bundle({"digest": suite}, files))
            self._expect(Kind.SUITE_STORED)
            self._suites.add(suite)
        self._send(Kind.RUN, pack_json({**config, "suite": suite}))

    def read(self) -> Frame:
        """The judge's next frame.

        Raises:
            JudgeError: it crashed, hangs, or sends what is no frame.
        """
        stream = self.container.stream
        try:
            return stream.read_frame(
                deadline=time.monotonic() + JUDGE_THINKS_SECONDS, limit=_JUDGE_FRAME
            )
        except (StreamClosedError, StreamTimeoutError, FrameError) as error:
            told = stream.stderr_tail.decode("utf-8", "replace").strip()
            raise JudgeError(
                f"the judge fell silent ({type(error).__name__}): {told[-2000:]}"
            ) from error

    def answer(self, frame: Frame) -> None:
        """Send an answer to the judge's question."""
        try:
            self.container.stream.send(
                frame.pack(), deadline=time.monotonic() + JUDGE_THINKS_SECONDS
            )
        except (StreamClosedError, StreamTimeoutError) as error:
            raise JudgeError(f"the judge does not listen: {error}") from error

    def _send(self, kind: Kind, body: bytes) -> None:
        self._numbers += 1
        self.answer(Frame(kind, self._numbers, body))

    def _expect(self, kind: Kind) -> None:
        frame = self.read()
        if frame.kind is not kind:
            raise JudgeError(f"the judge sent {frame.kind.name} instead of {kind.name}")

    def remove(self) -> None:
        """Kill and remove the container."""
        self.container.remove()
