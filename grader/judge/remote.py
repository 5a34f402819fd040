"""The judge's end of the wire."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.judge.errors import ChannelFailure, JudgeFault
from grader.wire.frames import (
    HEADER,
    Frame,
    FrameError,
    Kind,
    Measure,
    pack_json,
    read_header,
    unpack_json,
)
from grader.wire.pipes import IDLE_SECONDS, read_exact, write_all

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RemoteChannel", "Wire"]

_MAX_FRAME = 1 << 30
_LOAD_ATTEMPTS = 2  # an import that never ends is waited for this often, then known


class Wire:
    """Frames over two file descriptors, blocking.

    Raises:
        EOFError: the orchestrator is gone.
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd

    def read(self) -> Frame:
        """Read one frame."""
        length, deadline_ms, number, kind = read_header(
            self._read_exact(HEADER.size), limit=_MAX_FRAME
        )
        return Frame(kind, number, self._read_exact(length), deadline_ms)

    def write(self, frame: Frame) -> None:
        """Write one frame."""
        write_all(self._write_fd, frame.pack())

    def _read_exact(self, size: int) -> bytes:
        data = read_exact(self._read_fd, size, deadline=time.monotonic() + IDLE_SECONDS)
        if data is None:
            raise EOFError("the orchestrator closed the wire, or is gone with the engine")
        return data


@dataclass
class RemoteChannel:
    """The candidate, by way of the orchestrator. One question is open at a time."""

    wire: Wire
    call_ms: int
    load_ms: int
    over: ChannelFailure | None = None
    _number: int = 0
    _load_timeouts: int = 0

    def begin(self) -> bytes | None:
        """See :class:`grader.judge.channel.Channel`."""
        if self._load_timeouts >= _LOAD_ATTEMPTS:
            raise ChannelFailure("timeout", "importing the submission never ended in earlier tests")
        try:
            frame = self._ask(Kind.BEGIN, b"", self.load_ms)
        except ChannelFailure as failure:
            self._load_timeouts += failure.cause == "timeout"
            raise
        body = Measure.unpack(frame.body)[1]
        return body if frame.kind is Kind.LOAD_ERROR else None

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:
        """See :class:`grader.judge.channel.Channel`."""
        frame = self._ask(Kind.REQUEST, body, max(self.call_ms - spent_ns // 1_000_000, 1))
        measure, answer = Measure.unpack(frame.body)
        return answer, measure

    def end(self) -> bool:
        """See :class:`grader.judge.channel.Channel`."""
        frame = self._ask(Kind.END, b"", self.load_ms)
        return Measure.unpack(frame.body)[1] == b"\x01"

    def clock(self) -> Measure:
        """See :class:`grader.judge.channel.Channel`."""
        return Measure.unpack(self._ask(Kind.CLOCK, b"", 0).body)[0]

    def serve_questions(self, source: Callable[[bytes], bytes]) -> None:
        """Nothing to do: questions back come as answers, and the proxy sees to them."""

    def tell(self, kind: Kind, record: object) -> None:
        """Send a record that has no answer."""
        self.wire.write(Frame(kind, 0, pack_json(record)))

    def _ask(self, kind: Kind, body: bytes, deadline_ms: int) -> Frame:
        self._number += 1
        self.wire.write(Frame(kind, self._number, body, deadline_ms))
        frame = self.wire.read()
        if frame.number != self._number:
            raise JudgeFault(f"asked {self._number}, but {frame.number} was answered")
        if frame.kind is Kind.FAILURE:
            try:
                told = unpack_json(Measure.unpack(frame.body)[1])
            except FrameError as error:
                raise JudgeFault(str(error)) from error
            failure = ChannelFailure(str(told.get("cause")), str(told.get("detail"))[:500])
            if failure.cause == "wall-limit":
                self.over = failure
            raise failure
        if frame.kind not in _ANSWERS[kind]:
            raise JudgeFault(f"{kind.name} was answered by {frame.kind.name}")
        return frame


_ANSWERS = {
    Kind.BEGIN: {Kind.LOADED, Kind.LOAD_ERROR},
    Kind.REQUEST: {Kind.REPLY},
    Kind.END: {Kind.ENDED},
    Kind.CLOCK: {Kind.CLOCK_READING},
}
