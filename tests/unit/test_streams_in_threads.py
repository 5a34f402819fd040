"""A submission may read a stream in a thread: its pulls stay within the questions."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

import pytest

from grader.candidate.childpipe import ChildPipe
from grader.wire import codec
from grader.wire.frames import HEADER, Frame, Kind, read_header
from grader.wire.pipes import read_exact

if TYPE_CHECKING:
    from collections.abc import Iterator


PULL = codec.encode(("pull", 3))


class Line:
    """The child's pipe, and the other end of it."""

    def __init__(self) -> None:
        request_r, self._request_w = os.pipe()
        self._reply_r, reply_w = os.pipe()
        self.child = ChildPipe(request_r, reply_w)
        self._fds = (request_r, self._request_w, self._reply_r, reply_w)

    def send(self, number: int, value: object) -> None:
        os.write(self._request_w, Frame(Kind.REQUEST, number, codec.encode(value)).pack())

    def silent(self, seconds: float = 0.2) -> bool:
        return not select.select([self._reply_r], [], [], seconds)[0]

    def receive(self) -> tuple[int, object]:
        header = read_exact(self._reply_r, HEADER.size)
        assert header is not None
        length, _, number, _ = read_header(header, limit=1 << 20)
        body = read_exact(self._reply_r, length)
        assert body is not None
        return number, codec.decode(body)

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def test_a_pull_from_a_thread_waits_for_a_question(line: Line) -> None:
    got: list[object] = []
    reader = threading.Thread(target=lambda: got.append(line.child.ask_back(PULL)))
    reader.start()
    assert line.silent()

    line.send(1, "a question")
    line.child.question()
    assert line.receive() == (1, ("pull", 3))
    line.send(2, ("item", "first"))
    reader.join(10)

    assert got == [("item", "first")]


def test_an_answer_waits_for_the_item_that_a_thread_asked_for(line: Line) -> None:
    line.send(1, "a question")
    line.child.question()
    reader = threading.Thread(target=lambda: line.child.ask_back(PULL))
    reader.start()
    assert line.receive() == (1, ("pull", 3))
    main = threading.Thread(target=lambda: line.child.answer(codec.encode("the answer")))
    main.start()
    assert line.silent()

    line.send(2, ("item", "first"))
    assert line.receive() == (2, "the answer")
    reader.join(10)
    main.join(10)


def test_after_the_answer_a_pull_waits_again(line: Line) -> None:
    line.send(1, "a question")
    line.child.question()
    line.child.answer(codec.encode("the answer"))
    assert line.receive() == (1, "the answer")
    reader = threading.Thread(target=lambda: line.child.ask_back(PULL), daemon=True)
    reader.start()

    assert line.silent()
    line.send(2, "another question")
    line.child.question()
    assert line.receive() == (2, ("pull", 3))
    line.send(3, ("item", "late"))
    reader.join(10)
