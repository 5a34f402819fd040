"""One run: frames go from judge to candidate and back, under deadlines, into the transcript.

The relay decides what a silent, dead or unruly candidate means, and never looks into an answer.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from grader.errors import AnsweredJudgeError, JudgeError, SandboxError
from grader.sandbox.ran import RanCode
from grader.sandbox.stream import StreamClosedError, StreamTimeoutError
from grader.wire.frames import (
    ANSWERED_FAULT,
    Frame,
    FrameError,
    Kind,
    Measure,
    pack_json,
    unpack_ended,
    unpack_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.models import Limits
    from grader.notebook.fresh import FreshRun
    from grader.record.transcript import TranscriptWriter
    from grader.sandbox.boxes import CandidateBox, JudgeBox

__all__ = ["Candidate", "LiveCandidate", "RunRecord", "relay"]

GRACE_SECONDS = 1.0  # the supervisor's own deadline comes first
LAST_SECONDS = 0.2  # the same at the end of the run, which has to be over in time
RUN_ANSWER_BYTES = 256 << 20  # of a whole run: they all go into the transcript, on the host's disk
_FRAME_SLACK = 1 << 12
_KILLED = 128 + 9  # as the engine reports SIGKILL
_ANSWERS = {
    Kind.BEGIN: (Kind.LOADED, Kind.LOAD_ERROR, Kind.FAILURE),
    Kind.REQUEST: (Kind.REPLY, Kind.FAILURE),
    Kind.END: (Kind.ENDED,),
}
_CAUSES = ("died", "timeout", "memory", "bad-reply", "too-large")


class Candidate(Protocol):
    """Answers the judge's questions: a container, or a transcript.

    Attributes:
        captures: what the candidate printed since the relay last took it away.
    """

    captures: list[bytes]

    def answer(self, question: Frame) -> Frame:
        """The answer as the judge gets it: measure, then the candidate's bytes."""

    def record(self, question: Frame, answer: Frame) -> None:
        """Keep an exchange that took place."""


_NOTE = 600


@dataclass
class RunRecord:
    """What a run gave, in the judge's words.

    Attributes:
        tests: the collected tests, before the candidate was asked anything.
        evidence: one record for each test that ran.
        captures: what the candidate printed, by test.
        fresh: a notebook's one run for the report.
        page: that run as HTML, from inside a container; empty where there is none.
        notes: for the organiser: checks that stopped after an answer and count as failed.
        departure: how the notebook departs from its nbformat, from there too; empty when it does
            not.
    """

    tests: list[dict[str, object]] = field(default_factory=list)
    evidence: list[dict[str, object]] = field(default_factory=list)
    captures: dict[str, bytes] = field(default_factory=dict)
    fresh: FreshRun | None = None
    page: str = ""
    departure: str = ""
    notes: list[str] = field(default_factory=list)


def relay(judge: JudgeBox, candidate: Candidate, progress: Callable[[int, int], None]) -> RunRecord:
    """Serve the judge until it says that the run is finished.

    Args:
        judge: ready, with a run begun.
        candidate: who answers.
        progress: called with the number of tests done and their total.

    Raises:
        AnsweredJudgeError: it crashed or reported a fault after an answer of the candidate's.
        JudgeError: the judge crashed, broke the protocol or reported a fault: the run is void.
    """
    record = RunRecord()
    collected = answered = False
    while True:
        frame = _read(judge, record, answered=answered)
        if frame.kind in _ANSWERS or frame.kind is Kind.CLOCK:
            if not collected:
                raise JudgeError("the judge asked the candidate before it had collected its tests")
            answer = candidate.answer(frame)
            judge.answer(answer)
            answered = answered or frame.kind is not Kind.CLOCK
            candidate.record(frame, answer)  # while the judge is at work
        elif frame.kind is Kind.COLLECTED and not collected:
            collected = True
            record.tests = _list_of_objects(unpack_json(frame.body), "tests")
            progress(0, len(record.tests))
        elif frame.kind is Kind.EVIDENCE and collected:
            told = unpack_json(frame.body)
            record.evidence.append(told)
            if told.get("charged") is True:
                record.notes.append(f"{told.get('id')}: {told.get('message')}"[:_NOTE])
            printed = b"".join(candidate.captures)
            candidate.captures.clear()
            if printed:
                record.captures[str(record.evidence[-1].get("id"))] = printed
            progress(len(record.evidence), len(record.tests))
        elif frame.kind is Kind.FINISHED:
            _hold(unpack_json(frame.body))
            return record
        else:
            raise JudgeError(f"the judge sent {frame.kind.name} out of turn")


def _read(judge: JudgeBox, record: RunRecord, *, answered: bool) -> Frame:
    """The judge's next frame; whoever's answer it may have choked on is told."""
    try:
        return judge.read()
    except JudgeError as error:
        if not answered or len(record.evidence) >= len(record.tests):
            raise
        running = str(record.tests[len(record.evidence)].get("id"))
        raise AnsweredJudgeError(str(error), running, crashed=True) from error


def _hold(finished: dict[str, object]) -> None:
    """Hold that a run ended without a fault of the judge's."""
    fault = str(finished.get("fault"))
    if finished.get("exit") == ANSWERED_FAULT:
        test, _, what = fault.partition("\n")
        raise AnsweredJudgeError(what, test, crashed=False)
    if finished.get("exit") != 0:
        raise JudgeError(f"the judge reports a fault of its own:\n{fault}")


def _list_of_objects(told: dict[str, object], key: str) -> list[dict[str, object]]:
    value = told.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise JudgeError(f"the judge's {key} are no list of objects")
    return value


class LiveCandidate:
    """A candidate in a container, replaced when it falls silent.

    Args:
        box: a container that holds the submission already.
        replace: makes another one, given the wall seconds that are left; None if that is too few.
        limits: the exercise's.
        transcript: every exchange is written to it.
        judge: whose own clock is read for CLOCK questions.
        settle: waits until nothing else of this worker's starts up; a timed check asks for the
            clock first, and nothing may warm up beside it.
    """

    def __init__(
        self,
        box: CandidateBox,
        *,
        replace: Callable[[float], CandidateBox | None],
        limits: Limits,
        transcript: TranscriptWriter,
        judge: JudgeBox,
        settle: Callable[[], None],
    ) -> None:
        self._settle = settle
        self._remover = ThreadPoolExecutor()
        self._leaving: list[Future[None]] = []
        self._box: CandidateBox | None = box
        self._replace = replace
        self._limits = limits
        self._transcript = transcript
        self._judge = judge
        self._end = time.monotonic() + limits.wall_seconds
        self._answer_bytes = 0
        self.captures: list[bytes] = []
        self.ran = RanCode()
        self.replacements = 0

    def answer(self, question: Frame) -> Frame:
        """See :class:`Candidate`."""
        if question.kind is Kind.CLOCK:
            self._settle()
            # a check of time is not asked beside what is dying
            wait(self._leaving, timeout=max(self._end - time.monotonic(), 0.0))
            cgroup = self._judge.container.cgroup
            reading = Measure(time.perf_counter_ns(), cgroup.cpu_ns() if cgroup else -1)
            reply = Frame(Kind.CLOCK_READING, question.number, reading.pack())
        else:
            reply = self._exchange(question)
        return reply

    def record(self, question: Frame, answer: Frame) -> None:
        """See :class:`Candidate`."""
        self._transcript.exchange(question, answer)

    def close(self) -> None:
        """Kill and remove the container, and wait until those that were dropped are gone too.

        Raises:
            SandboxError: one of them could not be removed.
        """
        self._drop()
        self._remover.shutdown(wait=True)
        for removal in self._leaving:
            removal.result()

    def _drop(self) -> None:
        """Kill and remove the container without waiting: after a fork bomb it can take seconds."""
        box, self._box = self._box, None
        if box:
            self._leaving.append(self._remover.submit(box.remove))

    def _exchange(self, question: Frame) -> Frame:
        now = time.monotonic()
        if now >= self._end:
            self._drop()
            return self._no_answer(question, "wall-limit")
        if self._box is None:
            if question.kind is Kind.REQUEST:
                return self._no_answer(question, "died")
            if question.kind is Kind.END:
                return self._ended(question, Measure(0), late=False)
            self.replacements += 1
            self._box = self._replace(self._end - now)
            now = time.monotonic()  # the call's time begins when there is somebody to ask
        box = self._box
        if box is None or now >= self._end:
            self._drop()
            return self._no_answer(question, "wall-limit")
        deadline = min(now + question.deadline_ms / 1000 + GRACE_SECONDS, self._end + LAST_SECONDS)
        cgroup = box.container.cgroup
        try:
            if not box.container.stream.idle():
                raise FrameError("bytes came before a question was asked")  # noqa: TRY301
            cpu = cgroup.cpu_ns() if cgroup else -1
            if cgroup:
                cgroup.forget_peak()
            box.container.stream.send(question.pack(), deadline=deadline)
            start = time.perf_counter_ns()
            frame = box.container.stream.read_frame(
                deadline=deadline, limit=self._limits.reply_bytes + _FRAME_SLACK
            )
            wall = time.perf_counter_ns() - start
            _check_answer(question, frame)
        except StreamTimeoutError:
            self._drop()
            ended = time.monotonic() >= self._end
            return self._no_answer(question, "wall-limit" if ended else "timeout")
        except FrameError:
            self._drop()
            return self._no_answer(question, "bad-reply")
        except StreamClosedError:
            return self._gone(question, box)
        spent = cgroup.cpu_ns() - cpu if cgroup and cpu >= 0 else -1
        peak = cgroup.peak_bytes() if cgroup else -1
        return self._judged(question, frame, Measure(wall, spent, peak))

    def _judged(self, question: Frame, frame: Frame, measure: Measure) -> Frame:
        """What the judge gets of a frame that came in time and in turn."""
        if frame.kind is Kind.ENDED:
            try:
                late, reports, printed = unpack_ended(frame.body)
            except FrameError:
                self._drop()
                return self._no_answer(question, "bad-reply")
            self.ran.add(reports)
            return self._ended(question, measure, late=late, printed=printed)
        if frame.kind is Kind.FAILURE:
            return self._failure(question, measure, frame.body)
        self._answer_bytes += len(frame.body)
        if self._answer_bytes > RUN_ANSWER_BYTES:
            total = f"the run's answers are larger than {RUN_ANSWER_BYTES >> 20} MiB together"
            return self._no_answer(question, "too-large", total)
        return Frame(frame.kind, frame.number, measure.pack() + frame.body)

    def _gone(self, question: Frame, box: CandidateBox) -> Frame:
        """The stream closed: the container's own doing, or the engine's?"""
        told = box.container.stream.stderr_tail.decode("utf-8", "replace").strip()
        state = box.container.state()
        if state.get("Running"):
            raise SandboxError("the engine closed the stream of a running container")
        self._drop()
        if time.monotonic() >= self._end:
            return self._no_answer(question, "wall-limit")
        if "Traceback" in told:
            raise SandboxError(f"the supervisor crashed: {told[-1500:]}")
        if state.get("OOMKilled"):
            return self._no_answer(question, "memory")
        if state.get("ExitCode") == _KILLED:
            # Nothing inside a container can kill its PID 1, so this is not the candidate's doing.
            raise SandboxError("the candidate container was killed from outside; grade it again")
        return self._no_answer(question, "died")

    def _failure(self, question: Frame, measure: Measure, body: bytes) -> Frame:
        """What the supervisor says of its child, in words of ours."""
        try:
            told = unpack_json(body)
        except FrameError:
            told = {}
        cause = told.get("cause")
        if cause not in _CAUSES:
            self._drop()
            return self._no_answer(question, "bad-reply")
        detail = told.get("detail")
        text = detail[:500] if isinstance(detail, str) else _DETAILS[str(cause)]
        packed = pack_json({"cause": cause, "detail": text})
        return Frame(Kind.FAILURE, question.number, measure.pack() + packed)

    def _no_answer(self, question: Frame, cause: str, detail: str = "") -> Frame:
        if question.kind is Kind.END:
            # Bytes that nobody asked for fail the test that they came in, also at its very end.
            if cause != "wall-limit":  # the run is over: what it told of its other tests stands
                self.ran.untold()
            return self._ended(question, Measure(0), late=cause == "bad-reply")
        packed = pack_json({"cause": cause, "detail": detail or _DETAILS[cause]})
        return Frame(Kind.FAILURE, question.number, Measure(0).pack() + packed)

    def _ended(
        self, question: Frame, measure: Measure, *, late: bool, printed: bytes = b""
    ) -> Frame:
        """What was printed stays with the host; the judge only learns of unasked bytes."""
        printed = printed[: self._limits.output_bytes]  # the supervisor keeps to it as well
        self.captures.append(printed)
        self._transcript.capture(printed)
        return Frame(Kind.ENDED, question.number, measure.pack() + bytes([late]))


def _check_answer(question: Frame, frame: Frame) -> None:
    if frame.number != question.number or frame.kind not in _ANSWERS[question.kind]:
        raise FrameError("an answer to another question")
    if frame.kind is Kind.LOADED and frame.body:
        raise FrameError("a body where none is due")


_DETAILS = {
    "died": "the process ended without an answer",
    "timeout": "no answer within the time limit",
    "memory": "the process was killed for its memory",
    "bad-reply": "the answer broke the protocol",
    "too-large": "the answer is larger than the limit",
    "wall-limit": "the whole run took longer than its limit",
}
