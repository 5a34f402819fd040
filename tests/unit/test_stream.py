from __future__ import annotations

import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.stream import ContainerStream, StreamClosedError, StreamTimeoutError
from grader.wire.frames import Frame, FrameError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


def record(data: bytes, kind: int = 1) -> bytes:
    """What the engine wraps output in."""
    return struct.pack(">BxxxI", kind, len(data)) + data


@pytest.fixture
def pair() -> Iterator[tuple[ContainerStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    stream = ContainerStream(ours)
    yield stream, theirs
    stream.close()
    theirs.close()


Pair = tuple[ContainerStream, socket.socket]


def soon(seconds: float = 2.0) -> float:
    return time.monotonic() + seconds


@given(st.lists(st.integers(1, 40), max_size=30))
def test_frame_is_put_together_from_any_pieces(cuts: list[int]) -> None:
    frame = Frame(Kind.REPLY, 7, b"body" * 10)
    data, position = frame.pack(), 0
    ours, theirs = socket.socketpair()
    stream = ContainerStream(ours)
    for cut in cuts:
        theirs.sendall(record(data[position : position + cut]))
        position += cut
    theirs.sendall(record(data[position:]))
    assert stream.read_frame(deadline=soon(), limit=100) == frame
    stream.close()
    theirs.close()


def test_stderr_is_kept_apart_and_bounded(pair: Pair) -> None:
    stream, theirs = pair
    theirs.sendall(record(b"e" * 100_000, 2) + record(Frame(Kind.READY, 0).pack()))
    assert stream.read_frame(deadline=soon(), limit=10).kind is Kind.READY
    assert len(stream.stderr_tail) == 16 << 10


def test_slow_drip_does_not_stretch_the_deadline(pair: Pair) -> None:
    stream, theirs = pair
    data = record(Frame(Kind.REPLY, 1, b"x" * 50).pack())

    def drip() -> None:
        for byte in data:
            try:
                theirs.send(bytes([byte]))
            except OSError:
                return
            time.sleep(0.05)

    thread = threading.Thread(target=drip)
    thread.start()
    clock = time.monotonic()
    with pytest.raises(StreamTimeoutError):
        stream.read_frame(deadline=soon(0.4), limit=100)
    assert time.monotonic() - clock < 1.0
    stream.close()
    thread.join()


def test_end_of_the_stream_is_told(pair: Pair) -> None:
    stream, theirs = pair
    theirs.sendall(record(b"half"))
    theirs.close()
    with pytest.raises(StreamClosedError):
        stream.read_frame(deadline=soon(), limit=100)


def test_length_above_the_limit_is_refused_without_waiting_for_the_body(pair: Pair) -> None:
    stream, theirs = pair
    theirs.sendall(record(struct.pack(">IIQB3x", 0xFFFFFFFF, 0, 1, Kind.REPLY)))
    with pytest.raises(FrameError, match="above the limit"):
        stream.read_frame(deadline=soon(), limit=1 << 20)


def test_record_of_another_kind_is_refused(pair: Pair) -> None:
    stream, theirs = pair
    theirs.sendall(record(b"x", 7))
    with pytest.raises(FrameError, match="kind 7"):
        stream.read_frame(deadline=soon(), limit=100)


def test_unasked_bytes_are_noticed(pair: Pair) -> None:
    stream, theirs = pair
    assert stream.idle()
    theirs.sendall(record(b"x"))
    assert not stream.idle()


def test_peer_that_does_not_read_cannot_block_us(pair: Pair) -> None:
    stream, _ = pair
    with pytest.raises(StreamTimeoutError):
        stream.send(b"x" * (64 << 20), deadline=soon(0.2))


def test_close_wakes_a_reader_in_another_thread(pair: Pair) -> None:
    stream, _theirs = pair
    begun, raised = threading.Event(), []

    def read() -> None:
        begun.set()
        try:
            stream.read_frame(deadline=soon(60), limit=100)
        except StreamClosedError as error:
            raised.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    begun.wait()
    time.sleep(0.05)  # it waits for bytes now
    stream.close()
    reader.join(timeout=10)
    assert len(raised) == 1
