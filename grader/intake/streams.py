"""Decompressing gzip, bzip2 and xz with a bound on what comes out and on the memory it takes.

What comes out is read as a stream, so that what is left out of an archive takes no memory.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, NoReturn, Protocol

from grader.errors import SubmissionRejected
from grader.intake.entries import check_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Source", "source_of"]

_CHUNK = 1 << 16
_MAX_STREAMS = 64
_XZ_MEMORY = 192 << 20


def _damaged(problem: str) -> NoReturn:
    raise SubmissionRejected("damaged", f"the archive is damaged: {problem}; pack it again")


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def feed(self, data: bytes, limit: int, /) -> bytes: ...
    def pending(self) -> bool: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def feed(self, data: bytes, limit: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, limit)

    def pending(self) -> bool:
        return bool(self._inner.unconsumed_tail)


class _Buffered:
    """The bz2 and lzma objects, which keep the input that they have not used yet."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def feed(self, data: bytes, limit: int, /) -> bytes:
        return self._inner.decompress(data, limit)

    def pending(self) -> bool:
        return not self._inner.eof and not self._inner.needs_input


_FORMATS: dict[bytes, Callable[[], _Unpacker]] = {
    b"\x1f\x8b": _Gzip,
    b"BZh": lambda: _Buffered(bz2.BZ2Decompressor()),
    b"\xfd7zXZ\0": lambda: _Buffered(lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)),
}


class Source:
    """Bytes that are read once from the front."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end; they stay."""
        while len(self._buffer) < size and (piece := next(self._pieces, b"")):
            self._buffer += piece
        return self._buffer[:size]

    def take(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        parts, left = [], size
        while left and (self._buffer or self.peek(1)):
            parts.append(self._buffer[:left])
            self._buffer = self._buffer[left:]
            left -= len(parts[-1])
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """Pass over bytes; says how many there were."""
        left = size
        while left and (self._buffer or self.peek(1)):
            passed = min(left, len(self._buffer))
            self._buffer = self._buffer[passed:]
            left -= passed
        return size - left

    def drain(self) -> None:
        """Read to the end, which finds damage and bombs behind an archive's own end."""
        self._buffer = b""
        for _ in self._pieces:
            pass


def source_of(raw: bytes, limit: int) -> tuple[Source, bool]:
    """What is in a file, and whether it was compressed with gzip, bzip2 or xz.

    Args:
        raw: the file's bytes; several streams one after the other are one, as the tools have it.
        limit: most bytes that may come out.

    Raises:
        SubmissionRejected: while it is read: damaged, too large, or a bomb.
    """
    magic = next((magic for magic in _FORMATS if raw.startswith(magic)), None)
    if magic is None:
        return Source(raw[at : at + _CHUNK] for at in range(0, len(raw), _CHUNK)), False
    return Source(_streams(raw, magic, limit)), True


def _streams(raw: bytes, magic: bytes, limit: int) -> Iterator[bytes]:
    at = out = 0
    for _ in range(_MAX_STREAMS):
        unpacker = _FORMATS[magic]()
        begin = at
        for at, piece in _one_stream(raw, begin, unpacker):
            out += len(piece)
            check_ratio(f"the archive ({len(raw):,} bytes)", at, out)
            if out > limit:
                raise SubmissionRejected(
                    "too-large",
                    f"the archive unpacks to more than {limit:,} bytes; leave out data, "
                    "environments and build products",
                )
            if piece:
                yield piece
        at -= len(unpacker.unused_data)
        if not raw.startswith(magic, at):
            break
    if raw[at:].strip(b"\0"):
        _damaged("bytes follow its end")


def _one_stream(raw: bytes, at: int, unpacker: _Unpacker) -> Iterator[tuple[int, bytes]]:
    """What one stream holds, in pieces, each with how far `raw` has been read."""
    data = piece = b""
    while not unpacker.eof:
        if not unpacker.pending() and len(piece) < _CHUNK:
            data = raw[at : at + _CHUNK]
            at += len(data)
            if not data:
                _damaged("it is cut off (not fully uploaded?)")
        try:
            piece = unpacker.feed(data, _CHUNK)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            _damaged("it cannot be decompressed")
        data = b""
        yield at, piece
