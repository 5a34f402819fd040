"""Decompressing gzip, bzip2 and xz with a bound on what comes out and on the memory it takes."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, NoReturn, Protocol

from grader.errors import SubmissionRejected
from grader.intake.entries import check_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["decompress"]

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


def decompress(raw: bytes, limit: int) -> bytes | None:
    """Decompress gzip, bzip2 or xz as a bounded stream; None if `raw` is none of them.

    Args:
        raw: the file's bytes; several streams one after the other are one, as the tools have it.
        limit: most bytes that may come out.

    Raises:
        SubmissionRejected: damaged, too large, or a bomb.
    """
    magic = next((magic for magic in _FORMATS if raw.startswith(magic)), None)
    if magic is None:
        return None
    out = bytearray()
    at = 0
    for _ in range(_MAX_STREAMS):
        at = _one_stream(raw, at, _FORMATS[magic](), out, limit)
        if not raw.startswith(magic, at):
            break
    if raw[at:].strip(b"\0"):
        _damaged("bytes follow its end")
    return bytes(out)


def _one_stream(raw: bytes, at: int, unpacker: _Unpacker, out: bytearray, limit: int) -> int:
    """Append what one stream holds to `out`; return where the stream ends in `raw`."""
    data = piece = b""
    while True:
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
        out += piece
        check_ratio(f"the archive ({len(raw):,} bytes)", at, len(out))
        if len(out) > limit:
            raise SubmissionRejected(
                "too-large", f"the archive unpacks to more than {limit:,} bytes"
            )
        if unpacker.eof:
            return at - len(unpacker.unused_data)
