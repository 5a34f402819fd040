"""PID 1 of the candidate container: forks a fresh process for each test, and never runs its code.

It owns the wire (the container's stdin and stdout). Children get private pipes and a capture pipe
for their stdout and stderr; they do not inherit the wire. At the end of a test, at a deadline, at
end of input or at the wall limit every other process in the container dies by ``kill(-1)``, and
the scratch space is emptied.

As PID 1 of its namespace this process cannot be killed or stopped from inside, as long as it has
no handler for the signal (SIGINT goes back to its default for that reason), and it is not
dumpable, so that its memory and descriptors under ``/proc/1`` are out of a child's reach.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import NoReturn

from grader.candidate import audit, runner
from grader.candidate.capture import Capture
from grader.candidate.config import LoadConfig, string_list, whole_number
from grader.candidate.cores import count_own_cores
from grader.candidate.reports import Reports, report_sockets
from grader.candidate.reviewed import Reviewed, read_apart
from grader.candidate.scratch import empty_directory, write_files
from grader.wire.frames import (
    HEADER,
    Frame,
    FrameError,
    Kind,
    pack_ended,
    pack_json,
    read_header,
    unpack_bundle,
)
from grader.wire.pipes import (
    IDLE_SECONDS,
    be_killed_first,
    read_exact,
    set_dumpable,
    widen,
    write_all,
)

__all__ = ["main"]

# Each a private tmpfs, emptied after each test
SCRATCH = ("/tmp", "/submission", "/dev/shm")  # noqa: S108
SUBMISSION_DIR = "/submission"
MAX_REQUEST = 512 << 20
_PIPE_BYTES = 1 << 20
_CHUNK = 1 << 18
_RUN_BYTES = 32 << 20


@dataclass
class _Settings:
    """What the first frame says."""

    reviewed: Reviewed = field(default_factory=Reviewed)
    config: LoadConfig = field(default_factory=LoadConfig)
    reply_bytes: int = 1 << 20
    output_bytes: int = 1 << 16
    wall_deadline: float = 0.0


class _Session:
    """One forked child and its pipes."""

    def __init__(self, settings: _Settings, keep_fds: tuple[int, ...]) -> None:
        self.capture = Capture(settings.output_bytes)
        request_r, self.request_w = os.pipe()
        self.reply_r, reply_w = os.pipe()
        self.capture_r, capture_w = os.pipe()
        self.reports = Reports()
        self.reports_r, reports_w = report_sockets()
        self.sides = self.capture_r, self.reports_r
        widen(self.request_w, self.reply_r)
        self.pid = os.fork()
        if self.pid == 0:
            for fd in (*self._own(), *keep_fds):
                os.close(fd)
            _run_child(settings, request_r, reply_w, capture_w, reports_w)
        for fd in (request_r, reply_w, capture_w, reports_w):
            os.close(fd)
        for fd in self._own():
            os.set_blocking(fd, False)

    def _own(self) -> tuple[int, ...]:
        return self.request_w, self.reply_r, self.capture_r, self.reports_r

    def take_some(self, fd: int) -> bool:
        """Take what came on a side; False where nobody can send any more."""
        if fd == self.reports_r:
            return self.reports.drain(fd)
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return True
        self.capture.add(data)
        return bool(data)

    def drain(self) -> None:
        """Take all that is left."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.capture_r, _CHUNK):
                self.capture.add(chunk)
        self.reports.drain(self.reports_r)

    def close(self) -> None:
        for fd in self._own():
            os.close(fd)


def _run_child(
    settings: _Settings, request_r: int, reply_w: int, capture_w: int, reports_w: int
) -> NoReturn:
    """Everything below runs in the child, which is hostile from the import on."""
    code = 70
    try:
        os.setsid()
        os.nice(19)  # against PID 1, which a fork bomb must not keep from killing it
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(capture_w, 1)
        os.dup2(capture_w, 2)
        for fd in (null, capture_w):
            os.close(fd)
        set_dumpable(value=True)  # or the child could not read its own /proc/self
        be_killed_first()
        write_files(SUBMISSION_DIR, settings.reviewed.files)
        os.chdir(SUBMISSION_DIR)
        runner.prepare(settings.config)
        audit.arm(
            reports_w,
            SUBMISSION_DIR,
            settings.reviewed,
            settings.config.notebook,
            settings.config.generators,
        )
        runner.serve(request_r, reply_w, settings.config)
        code = 0
    finally:
        os._exit(code)


class Supervisor:
    """The loop of PID 1: read a frame, act, answer."""

    def __init__(self, wire_in: int, wire_out: int) -> None:
        self._in = wire_in
        self._out = wire_out
        self._settings = _Settings(wall_deadline=time.monotonic() + IDLE_SECONDS)
        self._session: _Session | None = None
        self._spare: _Session | None = None  # forked while the judge is at work
        self._captured = b""
        self._reported: list[list[str]] = []
        self._dirty = False

    def run(self) -> None:
        """Serve until end of input, the wall limit, or a breach of protocol by the host."""
        self._write(Frame(Kind.READY, 0))
        while (frame := self._read()) is not None:
            if frame.kind is Kind.SUBMISSION:
                self._write(self._accept(frame))
                self._prepare()
            elif frame.kind is Kind.BEGIN:
                self._end_session()
                self._prepare()
                self._session, self._spare = self._spare, None
                self._write(self._exchange(frame))
            elif frame.kind is Kind.REQUEST:
                self._write(self._exchange(frame))
            elif frame.kind is Kind.RUN_NOTEBOOK:
                self._write(self._run_notebook(frame))
                self._prepare()
            elif frame.kind is Kind.END:
                self._write(self._finish(frame))
                self._clean()
                self._prepare()
            else:
                raise FrameError(f"{frame.kind.name} is not for the candidate")

    # The wire: blocking, one frame at a time.

    def _read(self) -> Frame | None:
        deadline = self._settings.wall_deadline
        header = read_exact(self._in, HEADER.size, deadline=deadline)
        if header is None:
            return None
        length, deadline_ms, number, kind = read_header(header, limit=MAX_REQUEST)
        body = read_exact(self._in, length, deadline=deadline)
        return None if body is None else Frame(kind, number, body, deadline_ms)

    def _write(self, frame: Frame) -> None:
        write_all(self._out, frame.pack())

    def _accept(self, frame: Frame) -> Frame:
        meta, files = unpack_bundle(frame.body)
        for name in string_list(meta, "preload"):
            importlib.import_module(name)
        config = LoadConfig.from_meta(meta)
        for name in config.generators:
            if importlib.util.find_spec(name) is None:
                sys.exit(
                    f"exercise.toml: environment.generates_code names {name!r}, which the "
                    "environment does not have; correct or remove it"
                )
        reviewed = read_apart(files, config.notebook)
        runner.load_parts(config)
        gc.collect()
        gc.freeze()  # a forked child's collector then leaves our pages alone
        self._settings = _Settings(
            reviewed=reviewed,
            config=config,
            reply_bytes=whole_number(meta, "reply_bytes"),
            output_bytes=whole_number(meta, "output_bytes"),
            wall_deadline=time.monotonic() + whole_number(meta, "wall_ms") / 1000,
        )
        return Frame(Kind.READY, frame.number)

    def _run_notebook(self, frame: Frame) -> Frame:
        """Run a notebook once for the report: what its process wrote, behind how it ended."""
        self._prepare()
        self._session, self._spare = self._spare, None
        session, said = self._session, bytearray()
        if session is None:
            raise FrameError("there is no process")
        os.write(session.request_w, frame.pack())
        deadline = min(time.monotonic() + frame.deadline_ms / 1000, self._settings.wall_deadline)
        ended = self._listen(session, said, deadline)
        self._end_session()
        self._captured, self._reported = b"", []  # the tests' processes run the same
        head = pack_json({"cause": ended.cause, "detail": ended.detail})
        return Frame(Kind.NOTEBOOK_RAN, frame.number, head + b"\n" + said)

    def _listen(self, session: _Session, said: bytearray, deadline: float) -> _Broken:
        """Read until the process closes its side, and say how it ended."""
        poller = select.poll()
        for fd in (self._in, session.reply_r, *session.sides):
            poller.register(fd, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            for fd, _events in poller.poll(left * 1000 + 1):
                if self._aside(session, fd, poller):
                    continue
                data = b""
                with contextlib.suppress(BlockingIOError):
                    data = os.read(fd, _PIPE_BYTES)
                    if not data:
                        return _Broken(*self._how_it_died(session))
                said += data
                if len(said) > _RUN_BYTES:
                    return _Broken("too-large", "the outputs are larger than their limit")
        return _Broken("timeout", "the notebook took longer than its limit")

    def _aside(self, session: _Session, fd: int, poller: select.poll) -> bool:
        """Take what came on a side; True where it was no part of an answer."""
        if fd == self._in:
            sys.exit(0)  # end of input (or a host out of step): nobody waits any more
        if fd in session.sides and not session.take_some(fd):
            poller.unregister(fd)
        return fd in session.sides

    # One test's process.

    def _exchange(self, frame: Frame) -> Frame:
        session = self._session
        if session is None:
            return self._failure(frame, "died", "the process of this test is gone already")
        deadline = min(time.monotonic() + frame.deadline_ms / 1000, self._settings.wall_deadline)
        try:
            return self._converse(session, frame, deadline)
        except _Broken as broken:
            self._end_session()
            return self._failure(frame, broken.cause, broken.detail)

    def _converse(self, session: _Session, frame: Frame, deadline: float) -> Frame:
        if select.select([session.reply_r], [], [], 0)[0] and self._unsolicited(session):
            raise _Broken("bad-reply", "bytes came before a question was asked")
        outgoing = memoryview(frame.pack())
        incoming = bytearray()
        expected = HEADER.size
        poller = select.poll()
        poller.register(self._in, select.POLLIN)
        poller.register(session.reply_r, select.POLLIN)
        for fd in session.sides:
            poller.register(fd, select.POLLIN)
        poller.register(session.request_w, select.POLLOUT)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _Broken("timeout", "no answer within the time limit")
            for fd, _events in poller.poll(left * 1000 + 1):
                if self._aside(session, fd, poller):
                    continue
                if fd == session.request_w:
                    outgoing = self._send_some(session, outgoing)
                    if not outgoing:
                        poller.unregister(fd)
                else:
                    incoming += self._receive_some(session, expected - len(incoming))
                    if len(incoming) == HEADER.size == expected:
                        expected += self._check_header(bytes(incoming), frame)
                    if len(incoming) == expected:
                        kind = Kind(HEADER.unpack_from(incoming)[3])
                        return Frame(kind, frame.number, bytes(incoming[HEADER.size :]))

    def _check_header(self, header: bytes, frame: Frame) -> int:
        try:
            length, _, number, kind = read_header(header, limit=1 << 62)
        except FrameError as error:
            raise _Broken("bad-reply", str(error)) from None
        allowed = {Kind.LOADED, Kind.LOAD_ERROR} if frame.kind is Kind.BEGIN else {Kind.REPLY}
        if kind not in allowed or number != frame.number:
            raise _Broken("bad-reply", f"a {kind.name} frame with a wrong number or kind")
        if length > self._settings.reply_bytes:
            raise _Broken(
                "too-large",
                f"the answer has {length} bytes, the limit is {self._settings.reply_bytes}",
            )
        return length

    @staticmethod
    def _send_some(session: _Session, outgoing: memoryview) -> memoryview:
        try:
            return outgoing[os.write(session.request_w, outgoing[:_PIPE_BYTES]) :]
        except BlockingIOError:
            return outgoing
        except BrokenPipeError:
            return outgoing[:0]  # the reply side tells how it died

    def _receive_some(self, session: _Session, size: int) -> bytes:
        try:
            data = os.read(session.reply_r, min(size, _PIPE_BYTES))
        except BlockingIOError:
            return b""
        if not data:
            raise _Broken(*self._how_it_died(session))
        return data

    @staticmethod
    def _unsolicited(session: _Session) -> bool:
        try:
            return bool(os.read(session.reply_r, 1))
        except BlockingIOError:
            return False

    @staticmethod
    def _how_it_died(session: _Session) -> tuple[str, str]:
        # A closed pipe with a live process is a death too: it can never answer again.
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            pid, status = os.waitpid(session.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                if code == -signal.SIGKILL:
                    return "memory", "the process was killed, most likely for its memory"
                if code < 0:
                    return "died", f"the process died of {_signal_name(-code)}"
                return "died", f"the process exited with status {code} in the middle of a call"
            time.sleep(0.001)
        return "died", "the process closed its channel"

    @staticmethod
    def _failure(frame: Frame, cause: str, detail: str) -> Frame:
        return Frame(Kind.FAILURE, frame.number, pack_json({"cause": cause, "detail": detail}))

    def _finish(self, frame: Frame) -> Frame:
        late = self._session is not None and self._unsolicited(self._session)
        self._stop_session()
        body = pack_ended(late=late, reports=self._reported, printed=self._captured)
        self._captured, self._reported = b"", []
        return Frame(Kind.ENDED, frame.number, body)

    def _prepare(self) -> None:
        """Fork the next test's process ahead. It waits, and has run no code of a candidate's."""
        if self._spare is None:
            self._spare = _Session(self._settings, (self._in, self._out))

    def _stop_session(self) -> None:
        """Kill the test's processes: from here on nothing of them runs, prints or answers."""
        session, self._session = self._session, None
        if session is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        session.drain()
        self._reported += session.reports.take()
        self._captured = (self._captured + session.capture.take())[: self._settings.output_bytes]
        session.close()
        self._dirty = True

    def _clean(self) -> None:
        """Reap what was killed and empty the scratch space, before anything else is forked."""
        if not self._dirty:
            return
        self._dirty = False
        _kill_everything()
        for path in SCRATCH:
            if os.access(path, os.W_OK):  # what nobody can write to holds nothing
                empty_directory(path)

    def _end_session(self) -> None:
        self._stop_session()
        self._clean()


class _Broken(Exception):
    """The child can no longer be trusted to answer."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def _kill_everything() -> None:
    """Kill and reap every process in this PID namespace but this one."""
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.0005)
        except ChildProcessError:
            return
    os._exit(3)  # something survives SIGKILL: only the end of the namespace is sure


def main() -> None:
    """Entry point of the candidate image."""
    set_dumpable(value=False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    wire_in, wire_out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    widen(wire_in, wire_out)
    runner.warm_up()
    count_own_cores()
    if "--notebook" in sys.argv:
        runner.part("cells").the_shell()  # loads IPython
    with contextlib.suppress(BrokenPipeError):  # the host went away
        Supervisor(wire_in, wire_out).run()
    os._exit(0)


if __name__ == "__main__":
    main()
