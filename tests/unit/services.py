"""A service in a process of its own, as author mode runs it, and the judge's side of it here."""

from __future__ import annotations

import atexit
import functools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from grader.judge.errors import ChannelFailure
from grader.judge.proxy import Solution
from grader.wire.frames import HEADER, Frame, Kind, Measure, read_header
from grader.wire.pipes import read_exact, write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Forks a candidate for each message: its folder and the app, with the ends of its pipes.
_PROGRAM = """
import os, signal, socket, sys
import fastapi, falcon.asgi, uvicorn
from grader.candidate import runner
from grader.wire.pipes import widen
SOURCE = '''
class InferenceError(Exception):
    pass

def run_inference(text: str) -> dict:
    raise AssertionError("the real one was called")

async def run_later(text: str) -> dict:
    raise AssertionError("the real one was called")
'''
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
runner.warm_up()
wire = socket.socket(fileno=int(sys.argv[1]))
while True:
    told, descriptors, _, _ = socket.recv_fds(wire, 4096, 2)
    if not told:
        break
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            folder, key, name = told.decode().split("\\0")
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            os.chdir(folder)
            stand_in = runner.StandInConfig("inference", SOURCE, ("run_inference", "run_later"))
            config = runner.LoadConfig(app=runner.AppConfig(**{key: name}), stand_ins=(stand_in,))
            runner.prepare(config)
            runner.serve(*descriptors, config)
        finally:
            os._exit(0)
    for descriptor in descriptors:
        os.close(descriptor)
    wire.send(str(pid).encode())
"""


@functools.cache
def _forker() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(theirs.fileno())], pass_fds=(theirs.fileno(),)
    )
    theirs.close()
    atexit.register(process.kill)
    return ours


class Kept:
    """What every channel here has."""

    over: ChannelFailure | None = None

    def serve_questions(self, source: Callable[[bytes], bytes]) -> None:
        pass

    def clock(self) -> Measure:
        return Measure(0)


class Piped(Kept):
    """A candidate behind two pipes. What crosses is kept for a replay."""

    def __init__(self, folder: Path, key: str, name: str, seconds: float) -> None:
        self._what = f"{folder}\0{key}\0{name}".encode()
        self._seconds = seconds
        self._pid = 0
        self._number = 0
        self.log: list[tuple[bytes, bytes]] = []

    def begin(self) -> bytes | None:
        request_r, self._request_w = os.pipe()
        self._reply_r, reply_w = os.pipe()
        socket.send_fds(_forker(), [self._what], [request_r, reply_w])
        os.close(request_r)
        os.close(reply_w)
        self._pid = int(_forker().recv(64))
        frame = self._ask(Kind.BEGIN, b"")
        return frame.body if frame.kind is Kind.LOAD_ERROR else None

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:  # noqa: ARG002
        answer = self._ask(Kind.REQUEST, body).body
        self.log.append((body, answer))
        return answer, Measure(1)

    def end(self) -> bool:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.close(self._request_w)
            os.close(self._reply_r)
            self._pid = 0
        return False

    def _ask(self, kind: Kind, body: bytes) -> Frame:
        self._number += 1
        write_all(self._request_w, Frame(kind, self._number, body).pack())
        deadline = time.monotonic() + self._seconds
        header = read_exact(self._reply_r, HEADER.size, deadline=deadline)
        if header is None:
            raise ChannelFailure("timeout", "no answer within the time limit")
        length, _, _, answered = read_header(header, limit=1 << 26)
        answer = read_exact(self._reply_r, length, deadline=deadline)
        assert answer is not None
        return Frame(answered, self._number, answer)


class Replayed(Kept):
    """Answers as they were kept, as long as the questions are the same to the byte."""

    def __init__(self, log: list[tuple[bytes, bytes]]) -> None:
        self._log = list(log)

    def begin(self) -> bytes | None:
        return None

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:  # noqa: ARG002
        question, answer = self._log.pop(0)
        assert body == question
        return answer, Measure(1)

    def end(self) -> bool:
        assert not self._log
        return False


class Services:
    """Makes solutions of sources; the processes of all of them end with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.channels: list[Piped] = []

    def make(
        self, source: str, *, factory: str = "create_app", name: str = "", seconds: float = 20.0
    ) -> Solution:
        """A submission of one module.

        Args:
            source: of the module.
            factory: what makes the application.
            name: the application's own name, where nothing makes it.
            seconds: the most that one exchange may take.
        """
        (self._folder / "solution.py").write_text(textwrap.dedent(source), encoding="utf-8")
        key, value = ("name", name) if name else ("factory", factory)
        self.channels.append(Piped(self._folder, key, value, seconds))
        return Solution(self.channels[-1])

    def close(self) -> None:
        for channel in self.channels:
            channel.end()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = Services(tmp_path)
    yield made
    made.close()
