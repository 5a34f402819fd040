"""What a silent, dead or unruly candidate means, with containers that are scripted."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import AnsweredJudgeError, JudgeError, SandboxError
from grader.models import Limits
from grader.record.transcript import TranscriptWriter, read_transcript
from grader.sandbox.relay import LiveCandidate, relay
from grader.sandbox.stream import StreamClosedError, StreamTimeoutError
from grader.wire.frames import (
    ANSWERED_FAULT,
    Frame,
    FrameError,
    Kind,
    Measure,
    pack_ended,
    pack_json,
    unpack_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = Limits(1 << 30, 1.0, 64, 20.0, 2.0, 2.0, 1 << 16, 1 << 20, 1 << 20)


def ended(printed: bytes = b"", *, late: bool = False) -> bytes:
    return pack_ended(late=late, reports=[], printed=printed)


class Stream:
    """Gives prepared frames, or raises prepared errors."""

    def __init__(self, *replies: object) -> None:
        self.replies = list(replies)
        self.sent: list[bytes] = []
        self.stderr_tail = bytearray()
        self.quiet = True

    def idle(self) -> bool:
        return self.quiet

    def send(self, data: bytes, *, deadline: float) -> None:
        del deadline
        self.sent.append(data)

    def read_frame(self, *, deadline: float, limit: int) -> Frame:
        del deadline, limit
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        assert isinstance(reply, Frame)
        return reply


class Box:
    """A container that is not there."""

    def __init__(self, *replies: object, **state: object) -> None:
        self.removed = False
        self.container = SimpleNamespace(
            stream=Stream(*replies), cgroup=None, state=lambda: {"Running": False, **state}
        )

    def remove(self) -> None:
        self.removed = True


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TranscriptWriter]:
    with TranscriptWriter(tmp_path / "transcript.gz", {}) as item:
        yield item


def live(writer: TranscriptWriter, box: Box, *spares: Box, settled: list[str] | None = None) -> Any:
    rest = list(spares)
    judge: Any = SimpleNamespace(container=SimpleNamespace(cgroup=None))
    marks = settled if settled is not None else []
    first: Any = box
    return LiveCandidate(
        first,
        replace=lambda left: rest.pop(0) if left > 0 else None,  # type: ignore[arg-type,return-value]
        limits=LIMITS,
        transcript=writer,
        judge=judge,
        settle=lambda: marks.append("settled"),
    )


def cause_of(answer: Frame) -> object:
    assert answer.kind is Kind.FAILURE
    return unpack_json(Measure.unpack(answer.body)[1])["cause"]


ASK = Frame(Kind.REQUEST, 4, b"question", 1000)


def test_answer_is_passed_on_with_its_measure(writer: TranscriptWriter) -> None:
    answer = live(writer, Box(Frame(Kind.REPLY, 4, b"value"))).answer(ASK)
    measure, body = Measure.unpack(answer.body)
    assert (answer.kind, answer.number, body) == (Kind.REPLY, 4, b"value")
    assert measure.wall_ns > 0


@pytest.mark.parametrize(
    ("reply", "state", "cause"),
    [
        (StreamTimeoutError(), {}, "timeout"),
        (FrameError("x"), {}, "bad-reply"),
        (StreamClosedError(), {}, "died"),
        (StreamClosedError(), {"OOMKilled": True}, "memory"),
        (Frame(Kind.REPLY, 3, b"stale"), {}, "bad-reply"),
        (Frame(Kind.LOADED, 4), {}, "bad-reply"),
        (Frame(Kind.EVIDENCE, 4, b"{}"), {}, "bad-reply"),
        (Frame(Kind.FAILURE, 4, pack_json({"cause": "passed"})), {}, "bad-reply"),
        (Frame(Kind.FAILURE, 4, b"noise"), {}, "bad-reply"),
        (Frame(Kind.FAILURE, 4, pack_json({"cause": "memory", "detail": 3})), {}, "memory"),
    ],
)
def test_what_is_no_answer_is_a_failure(
    writer: TranscriptWriter, reply: object, state: dict[str, object], cause: str
) -> None:
    assert cause_of(live(writer, Box(reply, **state)).answer(ASK)) == cause


def test_answers_of_a_run_are_bounded_together(
    writer: TranscriptWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.sandbox.relay.RUN_ANSWER_BYTES", 10)
    candidate = live(writer, Box(*(Frame(Kind.REPLY, 4, b"value") for _ in range(3))))
    assert [candidate.answer(ASK).kind for _ in range(2)] == [Kind.REPLY, Kind.REPLY]
    assert cause_of(candidate.answer(ASK)) == "too-large"


def test_bytes_before_the_question_are_a_failure(writer: TranscriptWriter) -> None:
    box = Box(Frame(Kind.REPLY, 4, b"early"))
    box.container.stream.quiet = False
    candidate = live(writer, box)
    assert cause_of(candidate.answer(ASK)) == "bad-reply"
    assert box.container.stream.sent == []
    candidate.close()
    assert box.removed


def test_run_that_ends_before_a_replacement_is_up_is_over(writer: TranscriptWriter) -> None:
    none: Any = None
    candidate = live(writer, Box(StreamTimeoutError()), none)
    assert cause_of(candidate.answer(ASK)) == "timeout"
    begin = Frame(Kind.BEGIN, 5, b"", 1000)
    assert cause_of(candidate.answer(begin)) == "wall-limit"


def test_silent_container_is_replaced_for_the_next_test(writer: TranscriptWriter) -> None:
    old, new = Box(StreamTimeoutError()), Box(Frame(Kind.LOADED, 6))
    candidate = live(writer, old, new)
    candidate.answer(ASK)
    assert candidate.answer(Frame(Kind.END, 5, b"", 10)).kind is Kind.ENDED
    assert candidate.answer(Frame(Kind.BEGIN, 6, b"", 10)).kind is Kind.LOADED
    candidate.close()
    assert old.removed


def test_a_dying_container_is_waited_for_at_the_end_only(writer: TranscriptWriter) -> None:
    old, new, may_go = Box(StreamTimeoutError()), Box(Frame(Kind.LOADED, 6)), threading.Event()

    def remove() -> None:
        assert may_go.wait(10)
        old.removed = True

    old.remove = remove  # type: ignore[method-assign]
    candidate = live(writer, old, new)
    assert cause_of(candidate.answer(ASK)) == "timeout"
    assert candidate.answer(Frame(Kind.BEGIN, 6, b"", 10)).kind is Kind.LOADED
    assert not old.removed
    may_go.set()
    candidate.close()
    assert old.removed


def test_a_container_that_cannot_be_removed_is_told_at_the_end(writer: TranscriptWriter) -> None:
    old = Box(StreamTimeoutError())

    def remove() -> None:
        raise SandboxError("the engine is gone")

    old.remove = remove  # type: ignore[method-assign]
    candidate = live(writer, old)
    assert cause_of(candidate.answer(ASK)) == "timeout"
    with pytest.raises(SandboxError, match="the engine is gone"):
        candidate.close()


def test_closed_stream_of_a_running_container_is_our_fault(writer: TranscriptWriter) -> None:
    with pytest.raises(SandboxError, match="running container"):
        live(writer, Box(StreamClosedError(), Running=True)).answer(ASK)


def test_crash_of_the_supervisor_is_our_fault(writer: TranscriptWriter) -> None:
    box = Box(StreamClosedError())
    box.container.stream.stderr_tail += b"Traceback (most recent call last)"
    with pytest.raises(SandboxError, match="supervisor crashed"):
        live(writer, box).answer(ASK)


def test_nothing_is_asked_after_the_wall_limit(
    writer: TranscriptWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box()
    candidate = live(writer, box)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 21.0)
    assert cause_of(candidate.answer(ASK)) == "wall-limit"
    candidate.close()
    assert box.removed


@pytest.mark.parametrize("reply", [StreamTimeoutError(), StreamClosedError(), FrameError("x")])
def test_a_test_whose_end_was_not_told_counts_as_a_report(
    writer: TranscriptWriter, reply: Exception
) -> None:
    candidate = live(writer, Box(reply))
    candidate.answer(Frame(Kind.END, 5, b"", 10))
    assert len(candidate.ran.unreviewed(())) == 1


def test_a_run_that_takes_too_long_is_not_accused(
    writer: TranscriptWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = live(writer, Box())
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 21.0)
    candidate.answer(Frame(Kind.END, 5, b"", 10))
    assert candidate.ran.unreviewed(()) == []


def test_output_stays_with_the_host(writer: TranscriptWriter) -> None:
    candidate = live(writer, Box(Frame(Kind.ENDED, 5, ended(b"printed", late=True))))
    answer = candidate.answer(Frame(Kind.END, 5, b"", 10))
    assert Measure.unpack(answer.body)[1] == b"\x01"
    assert candidate.captures == [b"printed"]


def test_output_beyond_its_limit_is_not_kept(writer: TranscriptWriter) -> None:
    """A supervisor of ours would have cut it; one that was taken over may not have."""
    flood = ended(b"x" * (LIMITS.output_bytes + 1))
    candidate = live(writer, Box(Frame(Kind.ENDED, 5, flood)))
    candidate.answer(Frame(Kind.END, 5, b"", 10))
    assert [len(printed) for printed in candidate.captures] == [LIMITS.output_bytes]


def test_clock_waits_until_nothing_warms_up(writer: TranscriptWriter) -> None:
    settled: list[str] = []
    live(writer, Box(), settled=settled).answer(Frame(Kind.CLOCK, 1))
    assert settled == ["settled"]


class Judge:
    """Asks what is prepared."""

    def __init__(self, *frames: Frame) -> None:
        self.frames = list(frames)
        self.answers: list[Frame] = []

    def read(self) -> Frame:
        return self.frames.pop(0)

    def answer(self, frame: Frame) -> None:
        self.answers.append(frame)


COLLECTED = Frame(Kind.COLLECTED, 0, pack_json({"tests": [{"id": "t"}]}))
DONE = Frame(Kind.FINISHED, 0, pack_json({"exit": 0}))


def run(judge: Judge, candidate: Any) -> Any:
    scripted: Any = judge
    return relay(scripted, candidate, lambda done, total: None)  # noqa: ARG005


@pytest.mark.parametrize(
    "frames",
    [
        [ASK],
        [Frame(Kind.EVIDENCE, 0, b"{}")],
        [COLLECTED, COLLECTED],
        [COLLECTED, Frame(Kind.REPLY, 0)],
        [Frame(Kind.COLLECTED, 0, pack_json({"tests": 3}))],
        [COLLECTED, Frame(Kind.FINISHED, 0, pack_json({"exit": 1, "fault": "x"}))],
        [COLLECTED, Frame(Kind.FINISHED, 0, pack_json({}))],
    ],
)
def test_judge_out_of_turn_voids_the_run(writer: TranscriptWriter, frames: list[Frame]) -> None:
    with pytest.raises(JudgeError):
        run(Judge(*frames), live(writer, Box()))


def test_a_fault_after_an_answer_is_told_apart(writer: TranscriptWriter) -> None:
    fault = {"exit": ANSWERED_FAULT, "fault": "t\nit stopped"}
    frames = (COLLECTED, ASK, Frame(Kind.FINISHED, 0, pack_json(fault)))
    with pytest.raises(AnsweredJudgeError, match="it stopped") as caught:
        run(Judge(*frames), live(writer, Box(Frame(Kind.REPLY, 4, b"value"))))
    assert (caught.value.test, caught.value.crashed) == ("t", False)


@pytest.mark.parametrize("asked", [True, False])
def test_a_judge_that_is_lost_after_an_answer_names_the_running_test(
    writer: TranscriptWriter, asked: bool
) -> None:
    class Lost(Judge):
        def read(self) -> Frame:
            try:
                return super().read()
            except (IndexError, StopIteration):
                raise JudgeError("the judge fell silent") from None

    frames = (COLLECTED, ASK) if asked else (COLLECTED,)
    with pytest.raises(JudgeError) as caught:
        run(Lost(*frames), live(writer, Box(Frame(Kind.REPLY, 4, b"value"))))
    assert isinstance(caught.value, AnsweredJudgeError) == asked
    if isinstance(caught.value, AnsweredJudgeError):
        assert (caught.value.test, caught.value.crashed) == ("t", True)


def test_a_check_that_stopped_twice_is_told_to_the_organiser(writer: TranscriptWriter) -> None:
    evidence = {"id": "t", "charged": True, "message": "the check itself stopped"}
    frames = (COLLECTED, Frame(Kind.EVIDENCE, 0, pack_json(evidence)), DONE)
    assert run(Judge(*frames), live(writer, Box())).notes == ["t: the check itself stopped"]


def test_recorded_run_answers_like_the_candidate(tmp_path: Path) -> None:
    evidence = Frame(Kind.EVIDENCE, 0, pack_json({"id": "t"}))
    end = Frame(Kind.END, 5, b"", 10)
    path = tmp_path / "transcript.gz"
    with TranscriptWriter(path, {"seed": "s"}) as writer:
        box = Box(Frame(Kind.REPLY, 4, b"value"), Frame(Kind.ENDED, 5, ended(b"said")))
        first = Judge(COLLECTED, ASK, end, evidence, DONE)
        recorded = run(first, live(writer, box))
    recording = read_transcript(path)
    second = Judge(COLLECTED, ASK, end, evidence, DONE)
    replayed = run(second, recording)
    recording.finish()
    assert second.answers == first.answers
    assert replayed.captures == recorded.captures == {"t": b"said"}
    assert recording.meta["seed"] == "s"


def test_a_transcript_that_cannot_be_written_is_an_error() -> None:
    writer = TranscriptWriter(Path("/dev/full"), {})
    with pytest.raises(OSError, match="No space left"):
        writer.close()


def test_a_long_transcript_reads_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "transcript.gz"
    answers = [Frame(Kind.REPLY, number, bytes([number]) * (3 << 20)) for number in range(8)]
    with TranscriptWriter(path, {}) as writer:
        for answer in answers:
            writer.exchange(Frame(Kind.REQUEST, answer.number), answer)
    recording = read_transcript(path)
    assert [recording.answer(Frame(Kind.REQUEST, n)) for n in range(8)] == answers
    recording.finish()
