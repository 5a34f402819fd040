"""A candidate in a process of its own for each test, without a container.

It runs the session code of the sandbox, so state that a module keeps is gone after each test, and
a submission that exits, kills itself or never answers ends its own process only. There are no
walls: for code of our own.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from grader.candidate import runner
from grader.candidate.scratch import write_files
from grader.judge.errors import ChannelFailure
from grader.rehearsal.reached import REACHED, lines_in, trace_below
from grader.wire.frames import HEADER, Frame, Kind, Measure, read_header
from grader.wire.pipes import read_exact, widen, write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ProcessChannel"]

_MAX_REPLY = 1 << 30
_LINE = 4096
_KILL = b"kill"
_MAX_LOAD_TIMEOUTS = 2  # as in the sandbox: an import that never ends is known then


@dataclass(frozen=True)
class _Process:
    pid: int
    request_w: int
    reply_r: int
    folder: Path


class ProcessChannel:
    """The way to a candidate whose process is new for each test.

    Make it before the suite is loaded: candidates are forked from what this process is then.

    Args:
        files: the submission.
        config: how to load it.
        call_ms: the most time that one question may take.
        load_ms: the most time that an import may take.

    Attributes:
        files: the submission; another one is loaded from the next test on.
        reached: lines of the submission that were reached, as (path, line); None where nobody
            asks, for it takes time.
        until: when the running test's time is up, by the monotonic clock.
        bytes: of all questions and answers.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        config: runner.LoadConfig,
        *,
        call_ms: int,
        load_ms: int,
    ) -> None:
        self.over: ChannelFailure | None = None
        self._forker, self._forker_pid = _start_forker(config)
        self.files = files
        self.reached: set[tuple[str, int]] | None = None
        self.until = math.inf
        self.bytes = 0
        self._call_seconds = call_ms / 1000
        self._load_seconds = load_ms / 1000
        self._load_timeouts = 0
        self._number = 0
        self._process: _Process | None = None

    def serve_questions(self, source: Callable[[bytes], bytes]) -> None:
        """Nothing to do: questions back come as answers, and the proxy sees to them."""

    def begin(self) -> bytes | None:
        """See :class:`grader.judge.channel.Channel`."""
        self._stop()
        if self._load_timeouts >= _MAX_LOAD_TIMEOUTS:
            raise ChannelFailure("timeout", "importing the submission never ended in earlier tests")
        self._process = self._fork()
        try:
            frame = self._ask(Kind.BEGIN, b"", self._load_seconds)
        except ChannelFailure as failure:
            self._load_timeouts += failure.cause == "timeout"
            raise
        return frame.body if frame.kind is Kind.LOAD_ERROR else None

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:
        """See :class:`grader.judge.channel.Channel`."""
        if self._process is None:
            raise ChannelFailure("died", "the process of this test is gone already")
        pid = self._process.pid
        _forget_peak(pid)
        wall, cpu = time.perf_counter_ns(), _cpu_ns(pid)
        frame = self._ask(Kind.REQUEST, body, max(self._call_seconds - spent_ns / 1e9, 0.001))
        wall, spent = time.perf_counter_ns() - wall, _cpu_ns(pid)
        used = spent - cpu if min(cpu, spent) >= 0 else -1
        return frame.body, Measure(wall, used, _peak_bytes(pid))

    def end(self) -> bool:
        """See :class:`grader.judge.channel.Channel`."""
        process = self._process
        late = process is not None and bool(select.select([process.reply_r], [], [], 0)[0])
        unsolicited = late and process is not None and bool(os.read(process.reply_r, 1))
        self._stop()
        return unsolicited

    def clock(self) -> Measure:
        """See :class:`grader.judge.channel.Channel`."""
        return Measure(time.perf_counter_ns(), time.process_time_ns())

    def recover(self) -> None:
        """Kill what a fork of this process, which is gone, left behind."""
        self._forker.send(_KILL)
        while int(self._forker.recv(_LINE)):  # the process that it asked for and did not take
            pass

    def close(self) -> None:
        """End every process of it."""
        self._stop()
        self._forker.close()
        os.waitpid(self._forker_pid, 0)

    def _ask(self, kind: Kind, body: bytes, seconds: float) -> Frame:
        process = self._process
        if process is None:
            raise ChannelFailure("died", "the process of this test is gone already")
        self._number += 1
        deadline = min(time.monotonic() + seconds, self.until)
        with contextlib.suppress(BrokenPipeError):  # the reply side tells how it died
            write_all(process.request_w, Frame(kind, self._number, body).pack())
        header = read_exact(process.reply_r, HEADER.size, deadline=deadline)
        if header is not None:
            length, _, number, answered = read_header(header, limit=_MAX_REPLY)
            answer = read_exact(process.reply_r, length, deadline=deadline)
            if answer is not None and number == self._number:
                self.bytes += len(body) + length
                return Frame(answered, number, answer)
        late = time.monotonic() >= deadline
        self._stop()
        if late:
            raise ChannelFailure("timeout", "no answer within the time limit")
        raise ChannelFailure("died", "the process closed its channel")

    def _fork(self) -> _Process:
        folder = Path(tempfile.mkdtemp(prefix="solution-"))
        home = folder / "submission"
        home.mkdir()
        write_files(str(home), self.files)
        if self.reached is not None:
            (folder / REACHED).touch()
        request_r, request_w = os.pipe()
        reply_r, reply_w = os.pipe()
        widen(request_w, reply_r)
        socket.send_fds(self._forker, [str(folder).encode()], [request_r, reply_w])
        os.close(request_r)
        os.close(reply_w)
        pid = int(self._forker.recv(_LINE))
        return _Process(pid, request_w, reply_r, folder)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._forker.send(_KILL)
        self._forker.recv(_LINE)
        os.close(process.request_w)
        os.close(process.reply_r)
        if self.reached is not None:
            self.reached |= lines_in(process.folder / REACHED)
        shutil.rmtree(process.folder, ignore_errors=True)


class _Forker:
    """A process that forks candidates, and has loaded nothing of a suite.

    What it is sent: a folder with the two ends of a candidate's pipes, or `_KILL`.
    """

    def __init__(self, wire: socket.socket, config: runner.LoadConfig) -> None:
        self._wire = wire
        self._config = config
        self._pid = 0

    def run(self) -> None:
        """Serve until the other side is gone."""
        while True:
            told, descriptors, _, _ = socket.recv_fds(self._wire, _LINE, 2)
            self._kill()
            if not told:
                return
            if told != _KILL:
                self._pid = os.fork()
                if self._pid == 0:
                    self._serve(Path(told.decode()), *descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
            self._wire.send(str(self._pid).encode())

    def _kill(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _serve(self, folder: Path, request_r: int, reply_w: int) -> NoReturn:
        code = 70
        try:
            self._wire.close()
            home, scratch = folder / "submission", folder / "tmp"
            scratch.mkdir()
            os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
            os.chdir(home)
            runner.prepare(self._config)
            trace_below(home, folder / REACHED)
            runner.serve(request_r, reply_w, self._config)
            code = 0
        finally:
            os._exit(code)


def _start_forker(config: runner.LoadConfig) -> tuple[socket.socket, int]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if pid := os.fork():
        theirs.close()
        return ours, pid
    code = 70
    try:
        ours.close()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        _Forker(theirs, config).run()
        code = 0
    finally:
        os._exit(code)


def _cpu_ns(pid: int) -> int:
    """CPU time of another process so far; -1 where the system does not tell it."""
    if sys.platform != "linux":
        return -1
    with contextlib.suppress(OSError):
        return time.clock_gettime_ns(~pid << 3 | 2)  # as clock_getcpuclockid(3) names its clock
    return -1


def _forget_peak(pid: int) -> None:
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")  # see proc(5)


def _peak_bytes(pid: int) -> int:
    """Peak memory of another process in this call; -1 where the system does not tell it."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
        return int(found[1]) << 10 if found else -1
    return -1
