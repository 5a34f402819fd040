"""A container's attached stdin, stdout and stderr as frames.

The engine wraps stdout and stderr in records of its own (stream type, length). This module takes
those apart, keeps a bounded tail of stderr for diagnosis, and reads frames under one absolute
deadline each, so that a slow drip cannot stretch it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Protocol, cast

from grader.wire.frames import HEADER, Frame, FrameError, read_header

__all__ = ["ContainerStream", "StreamClosedError", "StreamTimeoutError"]

_RECORD = struct.Struct(">BxxxI")
_STDOUT, _STDERR = 1, 2
_STDERR_KEPT = 16 << 10
_CHUNK = 1 << 18


class StreamClosedError(Exception):
    """The container ended, or the engine went away."""


class StreamTimeoutError(Exception):
    """The deadline passed."""


class _Raw(Protocol):
    """What a connected socket (plain or TLS) offers."""

    def settimeout(self, value: float, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class ContainerStream:
    """Frames to and from one container.

    Args:
        attached: what ``APIClient.attach_socket`` returned.
    """

    def __init__(self, attached: object) -> None:
        self._attached = attached  # keeps the response, and so the connection, alive
        self._socket = cast("_Raw", getattr(attached, "_sock", attached))
        self._buffer = bytearray()  # demultiplexed stdout
        self._record_left = 0
        self._record_kind = _STDOUT
        self._head = bytearray()
        self.stderr_tail = bytearray()
        self._closed = False

    def send(self, data: bytes, *, deadline: float) -> None:
        """Write all of ``data`` before ``deadline`` (``time.monotonic`` seconds).

        Raises:
            StreamClosedError: the other side is gone.
            StreamTimeoutError: it did not take the bytes in time.
        """
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise StreamTimeoutError from None
        except OSError as error:
            raise StreamClosedError(str(error)) from None

    def read_frame(self, *, deadline: float, limit: int) -> Frame:
        """Read one frame.

        Args:
            deadline: absolute, ``time.monotonic`` seconds.
            limit: the largest body; checked before it is read.

        Raises:
            StreamClosedError: end of the stream.
            StreamTimeoutError: the frame was not complete in time.
            FrameError: bytes that are no frame.
        """
        self._fill(HEADER.size, deadline)
        length, deadline_ms, number, kind = read_header(
            bytes(self._buffer[: HEADER.size]), limit=limit
        )
        self._fill(HEADER.size + length, deadline)
        body = bytes(self._buffer[HEADER.size : HEADER.size + length])
        del self._buffer[: HEADER.size + length]
        return Frame(kind, number, body, deadline_ms)

    def idle(self) -> bool:
        """True when no byte has come that nobody asked for."""
        self._socket.settimeout(0)
        try:
            self._receive()
        except (TimeoutError, BlockingIOError):
            return not self._buffer
        except StreamClosedError:
            return True  # the read that follows says so with its own error
        return not self._buffer

    def _fill(self, size: int, deadline: float) -> None:
        while len(self._buffer) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise StreamTimeoutError
            self._socket.settimeout(left)
            try:
                self._receive()
            except TimeoutError:
                raise StreamTimeoutError from None

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except (TimeoutError, BlockingIOError):
            raise
        except OSError as error:
            raise StreamClosedError(str(error)) from None
        if not data:
            raise StreamClosedError("end of stream")
        view = memoryview(data)
        while view:
            if not self._record_left:
                need = _RECORD.size - len(self._head)
                self._head += view[:need]
                view = view[need:]
                if len(self._head) < _RECORD.size:
                    return
                kind, self._record_left = _RECORD.unpack(self._head)
                if kind not in (_STDOUT, _STDERR):
                    raise FrameError(f"the engine sent a record of kind {kind}")
                self._record_kind = kind
                self._head.clear()
            part = view[: self._record_left]
            self._record_left -= len(part)
            view = view[len(part) :]
            if self._record_kind == _STDOUT:
                self._buffer += part
            else:
                self.stderr_tail += part
                del self.stderr_tail[:-_STDERR_KEPT]

    def close(self) -> None:
        """Close the connection; the container sees the end of its input.

        A thread that waits for a frame gets `StreamClosedError` at once: closing a descriptor alone
        would leave it waiting for its deadline.
        """
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):  # the other side may have gone first
            self._socket.shutdown(socket.SHUT_RDWR)
        for item in (self._socket, self._attached):
            close = getattr(item, "close", None)
            if close:
                try:
                    close()
                except OSError:
                    continue
