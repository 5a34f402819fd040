"""The transcript: every question and answer of a run, so that a score can be recomputed.

One gzip stream: a JSON line, then records of a type byte, a length and a frame. It holds hidden
inputs and the run's seed: it is the reviewer's, never the candidate's.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import queue
import struct
import sys
import threading
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Self

from grader.errors import ReplayMismatch, UsageError
from grader.files import open_regular
from grader.wire.frames import HEADER, Frame, FrameError, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Recording", "TranscriptWriter", "read_meta", "read_transcript"]

SCHEMA = "transcript/1"
_RECORD = struct.Struct(">cQ")
_QUESTION, _ANSWER, _CAPTURE, _REVIEW, _END = b"q", b"a", b"c", b"r", b"e"
_LARGEST = 1 << 31
_BATCH = 8 << 20
_META = {
    "run": str, "exercise": str, "exercise_version": str, "suite": str, "seed": str,
    "submission": str, "judge_image": str, "analyst_image": str, "call_ms": int, "load_ms": int,
}  # fmt: skip


class TranscriptWriter:
    """Writes one transcript; memory stays flat however long the run is.

    Compressing takes longer than relaying, so it waits until the run ends or some megabytes are
    there, and a thread does it. What could not be written is raised by a later call.
    """

    def __init__(self, path: Path, meta: dict[str, object]) -> None:
        # No name and no time in the gzip header: equal runs give equal bytes, times apart.
        self._file = path.open("wb")
        self._gzip = gzip.GzipFile("", "wb", compresslevel=1, fileobj=self._file, mtime=0)
        head = json.dumps({"schema": SCHEMA, **meta}, sort_keys=True)
        self._batch = [head.encode() + b"\n"]
        self._batch_bytes = 0
        # Two batches at most are waiting, so a slow disk slows the run and fills no memory.
        self._queue: queue.Queue[list[bytes] | None] = queue.Queue(1)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._compress, daemon=True)
        self._thread.start()

    def exchange(self, question: Frame, answer: Frame) -> None:
        """Record a question of the judge's and the answer that it got."""
        self._write(_QUESTION, question.pack())
        self._write(_ANSWER, answer.pack())

    def capture(self, output: bytes) -> None:
        """Record what the candidate printed in the test that ends here."""
        self._write(_CAPTURE, output)

    def review(self, frame: Frame) -> None:
        """Record a frame of the analyst's: its list of checks, or the record of one."""
        self._write(_REVIEW, frame.pack())

    def close(self) -> None:
        """Mark the end, so that a cut transcript is seen as one.

        Raises:
            OSError: something could not be written.
        """
        if self._file.closed:
            return
        self._add(_RECORD.pack(_END, 0))
        self._queue.put(self._batch)
        self._queue.put(None)
        self._thread.join()
        with self._file:
            if self._error is None:
                self._gzip.close()
        if self._error is not None:
            raise self._error

    def _write(self, kind: bytes, data: bytes) -> None:
        if self._error is not None:
            raise self._error
        self._add(_RECORD.pack(kind, len(data)))
        self._add(data)
        if self._batch_bytes >= _BATCH:
            self._queue.put(self._batch)
            self._batch, self._batch_bytes = [], 0

    def _add(self, data: bytes) -> None:
        self._batch.append(data)
        self._batch_bytes += len(data)

    def _compress(self) -> None:
        if sys.platform == "linux":  # where a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, 0, 10)
        while (batch := self._queue.get()) is not None:
            if self._error is not None:
                continue  # the queue is emptied all the same, or its other end would wait
            try:
                self._gzip.write(b"".join(batch))
            except Exception as error:  # noqa: BLE001 - a thread that died would block the run
                self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@dataclass
class Recording:
    """A transcript that answers in place of the candidate.

    Raises:
        ReplayMismatch: the judge asks something else than it asked in the run.
    """

    meta: dict[str, object]
    records: Iterator[tuple[bytes, bytes]]

    def __post_init__(self) -> None:
        self.captures: list[bytes] = []
        self.reviews: list[Frame] = []
        self.exchanges = 0

    def answer(self, question: Frame) -> Frame:
        """The recorded answer, if the question is the recorded one to the byte."""
        self.exchanges += 1
        kind, data = self._next()
        if kind != _QUESTION or data != question.pack():
            raise ReplayMismatch(
                f"question {self.exchanges} differs from the recorded one: other hidden tests, "
                "another seed or another judge"
            )
        kind, data = self._next()
        if kind != _ANSWER:
            raise ReplayMismatch(f"question {self.exchanges} has no recorded answer")
        return _frame(data, f"the recorded answer {self.exchanges}")

    def record(self, question: Frame, answer: Frame) -> None:
        """Nothing: it is recorded already."""

    def finish(self) -> None:
        """Hold that nothing is left over."""
        kind, _ = self._next()
        if kind != _END:
            raise ReplayMismatch("the recorded run asked more questions than the replay")

    def _next(self) -> tuple[bytes, bytes]:
        for kind, data in self.records:
            if kind == _CAPTURE:
                self.captures.append(data)
                continue
            if kind == _REVIEW:
                self.reviews.append(_frame(data, "the recorded review"))
                continue
            return kind, data
        raise ReplayMismatch("the transcript ends in the middle of a run")


def _frame(data: bytes, what: str) -> Frame:
    try:
        length, deadline_ms, number, kind = read_header(data[: HEADER.size], limit=_LARGEST)
    except (FrameError, struct.error):
        raise ReplayMismatch(f"{what} is damaged") from None
    if length != len(data) - HEADER.size:
        raise ReplayMismatch(f"{what} is damaged")
    return Frame(kind, number, data[HEADER.size :], deadline_ms)


def read_transcript(path: Path) -> Recording:
    """Open a transcript.

    Raises:
        UsageError: not a transcript, or one of another version.
    """
    raw, stream, head = _open(path)
    return Recording(head, _records(raw, stream, path))


def read_meta(path: Path) -> dict[str, object]:
    """What the first line of a run's transcript says; the rest is left alone.

    Raises:
        UsageError: not a transcript, or something is missing or of another type.
    """
    raw, stream, head = _open(path)
    with raw, stream:
        for name, kind in _META.items():
            if type(head.get(name)) is not kind:
                raise UsageError(f"{path} is of no run: its first line lacks {name}")
        return head


def _open(path: Path) -> tuple[BinaryIO, gzip.GzipFile, dict[str, object]]:
    """The file, its content behind the first line, and that line."""
    with contextlib.ExitStack() as stack:
        try:
            raw = stack.enter_context(open_regular(path))
            stream = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
            head = json.loads(stream.readline(1 << 20))
        except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
            raise UsageError(f"{path} is not a transcript: {error}") from error
        if not isinstance(head, dict) or head.get("schema") != SCHEMA:
            raise UsageError(f"{path} is not a transcript of version {SCHEMA}")
        stack.pop_all()  # read lazily, closed with the generator
    return raw, stream, head


def _records(raw: BinaryIO, stream: gzip.GzipFile, path: Path) -> Iterator[tuple[bytes, bytes]]:
    with raw, stream:
        try:
            while head := stream.read(_RECORD.size):
                kind, size = _RECORD.unpack(head)
                if size > _LARGEST:
                    raise ReplayMismatch(f"{path} is damaged: a record of {size} bytes")
                data = stream.read(size)
                if len(data) != size:
                    raise ReplayMismatch(f"{path} is cut short")
                yield kind, data
        except (OSError, EOFError, struct.error, zlib.error, FrameError) as error:
            raise ReplayMismatch(f"{path} is damaged: {error}") from error
