"""The child's end of its private pipes: questions come in, answers and questions back go out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from grader.wire import codec
from grader.wire.frames import HEADER, Frame, Kind, read_header
from grader.wire.pipes import read_exact, write_all

__all__ = ["ChildPipe"]

_MAX_REQUEST = 1 << 30


@dataclass
class ChildPipe:
    """The child's end of its private pipes.

    A submission may read a stream in a thread of its own. The pipe is that thread's only while a
    question is open: it waits for the next one otherwise, and an answer waits for its item.
    """

    request_fd: int
    reply_fd: int
    number: int = field(default=0)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _asked: bool = False

    def read(self) -> Frame | None:
        """Read one frame; None at the end of input."""
        header = read_exact(self.request_fd, HEADER.size)
        if header is None:
            return None
        length, _, self.number, kind = read_header(header, limit=_MAX_REQUEST)
        body = read_exact(self.request_fd, length)
        return None if body is None else Frame(kind, self.number, body)

    def write(self, kind: Kind, body: bytes) -> None:
        """Write the frame that answers the last one read."""
        self.write_raw(Frame(kind, self.number, body).pack())

    def write_raw(self, raw: bytes) -> None:
        """Write bytes as they are."""
        write_all(self.reply_fd, raw)

    def question(self) -> Frame | None:
        """Wait for the next question; streams may be read until it is answered."""
        frame = self.read()
        with self._turn:
            self._asked = True
            self._turn.notify_all()
        return frame

    def answer(self, body: bytes) -> None:
        """Answer the open question."""
        with self._turn:
            self._asked = False
            self.write(Kind.REPLY, body)

    def ask_back(self, question: bytes) -> object:
        """Put a question back to the judge, while one of its own is open; the decoded answer."""
        with self._turn:
            self._turn.wait_for(lambda: self._asked)
            self.write(Kind.REPLY, question)
            frame = self.read()
        if frame is None:
            raise SystemExit
        return codec.decode(frame.body)
