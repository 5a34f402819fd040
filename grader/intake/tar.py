"""Reading tar archives without trusting them.

Written on the format itself (POSIX.1-2017 pax, GNU long names) instead of `tarfile`: every header
is bounded, and no link, device, sparse map or header field that is not listed here is understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from grader.errors import SubmissionRejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.intake.entries import Basket
    from grader.intake.streams import Source

__all__ = ["TAR_START", "is_tar", "read_tar", "tar_names"]

_BLOCK = 512
TAR_START = 2 * _BLOCK  # enough to know one by
_MAX_HEADER = 1 << 16
_MAX_EXTENSIONS = 4
_MAX_RECORDS = 100

_ODD = {
    b"1": ("hardlink", "is a hard link; pack the file itself"),
    b"2": ("symlink", "is a symbolic link; pack the file itself"),
    b"3": ("special-file", "is a device; leave it out"),
    b"4": ("special-file", "is a device; leave it out"),
    b"6": ("special-file", "is a named pipe; leave it out"),
    b"S": ("special-file", "is a sparse file; pack it without --sparse"),
}


def _damaged(problem: str) -> NoReturn:
    raise SubmissionRejected("damaged", f"the tar archive is damaged: {problem}; pack it again")


def is_tar(start: bytes) -> bool:
    """Whether bytes are the start of a tar archive (an archive of nothing is all zeros)."""
    if len(start) < _BLOCK:
        return False
    return start[257:262] == b"ustar" or (
        len(start) >= TAR_START and not start[:_BLOCK].strip(b"\0")
    )


def tar_names(source: Source) -> Iterator[bytes]:
    """The names of all members, their content passed over."""
    for member in _members(source):
        yield member.name
        source.skip(member.content + -member.content % _BLOCK)


def read_tar(source: Source, basket: Basket) -> None:
    """Put the regular files of an uncompressed tar archive into `basket`.

    Raises:
        SubmissionRejected: anything but whole regular files and folders.
    """
    for member in _members(source):
        _take(source, member, basket)
    source.drain()


def _members(source: Source) -> Iterator[_Member]:
    """All members; whoever asks for the next has read the content of the last."""
    extra = _Extra()
    while header := source.take(_BLOCK):
        if len(header) < _BLOCK:
            _damaged("a header is cut off")
        if not header.strip(b"\0"):
            return
        _check_sum(header)
        kind = header[156:157]
        size = _number(header[124:136])
        if kind in b"xgLK":
            body = source.take(min(size, _MAX_HEADER))
            extra.read(kind, size, body)
            source.skip(-size % _BLOCK)
        else:
            yield extra.apply(_Member(kind, _name(header), size))
            extra = _Extra()


@dataclass(frozen=True, slots=True)
class _Member:
    kind: bytes
    name: bytes
    size: int

    @property
    def folder(self) -> bool:
        return self.kind == b"5" or (self.kind in b"0\0" and self.name.endswith(b"/"))

    @property
    def content(self) -> int:
        """How many bytes follow the header."""
        return 0 if self.folder or self.kind in b"12346" else self.size


class _Extra:
    """The extended headers before one member."""

    def __init__(self) -> None:
        self._count = 0
        self._long_name: bytes | None = None
        self._pax: dict[bytes, bytes] = {}

    def read(self, kind: bytes, size: int, body: bytes) -> None:
        self._count += 1
        if size > _MAX_HEADER or self._count > _MAX_EXTENSIONS:
            _damaged("it has oversized extended headers")
        if len(body) < size:
            _damaged("an extended header is cut off")
        if kind == b"x":
            self._pax.update(_pax(body))
        elif kind == b"L":
            self._long_name = body.rstrip(b"\0")
        elif kind == b"g" and {b"path", b"size", b"linkpath"} & _pax(body).keys():
            _damaged("a global header renames its entries")

    def apply(self, member: _Member) -> _Member:
        """The member as its extended headers have it."""
        name = member.name if self._long_name is None else self._long_name
        size = self._pax.get(b"size")
        sparse = any(key.startswith(b"GNU.sparse") for key in self._pax)
        return _Member(
            kind=b"S" if sparse else member.kind,
            name=self._pax.get(b"path", name),
            size=member.size if size is None else _decimal(size),
        )


def _take(source: Source, member: _Member, basket: Basket) -> None:
    """Take one member whose content comes next."""
    kind, name, size = member.kind, member.name, member.content
    if name.removesuffix(b"/") in {b".", b""} and member.folder and not size:
        return  # the folder itself
    if member.folder and kind != b"5" and member.size:
        _damaged("a folder has content")  # which some programs read, and others take for a member
    kept = basket.count(name, size)
    odd = _ODD.get(kind)
    if kind not in b"01234567S\0":
        odd = ("special-file", f"is an entry of unknown kind {kind!a}; leave it out")
    path = basket.name(name, folder=member.folder, odd=odd)
    if path is None or not kept or member.folder:
        _pass_over(source, size)
        return
    data = source.take(size)
    if len(data) < size:
        _damaged("an entry is cut off")
    source.skip(-size % _BLOCK)
    basket.add(path, data)


def _pass_over(source: Source, size: int) -> None:
    if source.skip(size) < size:
        _damaged("an entry is cut off")
    source.skip(-size % _BLOCK)


def _name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    if header[257:263] == b"ustar\0":
        prefix = header[345:500].split(b"\0", 1)[0]
        return prefix + b"/" + name if prefix else name
    return name


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        if field[0] != 0x80:  # noqa: PLR2004 - the mark of a positive base-256 number
            _damaged("a size is negative")
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    if not all(digit in b"01234567" for digit in text):
        _damaged("a size is not a number")
    return int(text or b"0", 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 15:  # noqa: PLR2004 - far above any limit
        _damaged("a size is not a number")
    return int(text)


def _check_sum(header: bytes) -> None:
    told = _number(header[148:156])
    if told != sum(header) - sum(header[148:156]) + 8 * 0x20:
        _damaged("a header's checksum is wrong")


def _pax(body: bytes) -> dict[bytes, bytes]:
    """Parse records of length, space, key, equals sign, value and newline."""
    found: dict[bytes, bytes] = {}
    at = 0
    for _ in range(_MAX_RECORDS):
        if at >= len(body) or not body[at]:
            return found
        space = body.find(b" ", at, at + 8)
        if space < 0 or not body[at:space].isdigit():
            _damaged("an extended header is malformed")
        end = at + int(body[at:space])
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if end <= space or end > len(body) or body[end - 1 : end] != b"\n" or not equals:
            _damaged("an extended header is malformed")
        found[key] = value
        at = end
    return _damaged("an extended header is oversized")
