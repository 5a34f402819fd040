"""Reading zip archives without trusting them.

Written on the format itself (PKWARE APPNOTE 6.3) instead of `zipfile`, because the checks that
matter are between the central directory and the local headers, and `zipfile` cuts names at NUL,
accepts overlapping entries before 3.11.8 and trusts declared sizes.

An archive that two unpackers could read differently is refused. Some go by the directory, others
read entry by entry from the start, so the entries of the directory must fill the file; some search
for the last end record, so there is only one; some go by extra fields, so these say nothing else.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

from grader.errors import SubmissionRejected
from grader.intake.entries import check_ratio, reject, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from grader.intake.entries import Basket

__all__ = ["read_zip"]

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED, _AES = 0, 8, 99
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_SIZES_FOLLOW = 0x0008
_UNSET32, _UNSET16 = 0xFFFFFFFF, 0xFFFF
_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_DESCRIPTOR = b"PK\7\x08"
_ROOT = (b"/", b"./")


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int
    extra: bytes


def read_zip(raw: bytes, basket: Basket) -> None:
    """Put the regular files of a zip archive into `basket`.

    Raises:
        SubmissionRejected: anything but plain, whole, disjoint, stored or deflated files.
    """
    first, last, total = _directory_span(raw)
    spans: list[tuple[int, int, bytes]] = [(first, last, b"the directory")]
    starts: list[tuple[_Entry, int]] = []
    gaps: dict[int, _Entry] = {}
    packed = size = 0
    entries = [*_entries(raw, first, last, total)]
    forward = _separators(entries)
    basket.survey(forward(entry.name) for entry in entries)
    for entry in entries:
        start = _data_start(raw, entry)
        spans.append((entry.offset, start + entry.packed, entry.name))
        starts.append((entry, start))
        gaps[start + entry.packed] = entry
        if basket.count(forward(entry.name), entry.size):
            check_ratio(entry.name, entry.packed, entry.size)
            packed, size = packed + entry.packed, size + entry.size
    check_ratio(f"the archive ({len(raw):,} bytes)", packed, size)
    spans.sort()
    for (_, end, name), (begin, _, other) in pairwise(spans):
        if begin < end:
            reject("overlap", other, f"shares bytes with {shown(name)}, like an archive bomb")
    if spans[0][0] > 0:
        _damaged("its first entry is not at its start")
    for (_, end, _), (begin, _, _) in pairwise(spans):
        if begin > end and not _is_descriptor(raw, end, begin, gaps.get(end)):
            _damaged("it holds bytes between its entries that its directory does not know of")
    for entry, start in starts:
        name = forward(entry.name)
        folder = name.endswith(b"/")
        if name in _ROOT and not entry.size:
            continue  # the folder itself, as some services pack it
        path = basket.name(name, folder=folder, odd=_odd_kind(entry, folder=folder))
        _check_names(raw, entry, basket, forward)
        if path is None:
            continue
        _check_local(raw, entry)
        if not folder:
            basket.add(path, _unpack(raw, entry, start))


def _separators(entries: Sequence[_Entry]) -> Callable[[bytes], bytes]:
    """How names become names with "/" in them.

    Some tools on Windows write backslashes, and unpackers take them for separators there. Where
    no name of the archive holds a "/", nothing else can be meant.
    """
    if any(b"\\" in entry.name for entry in entries) and not any(
        b"/" in entry.name for entry in entries
    ):
        return lambda name: name.replace(b"\\", b"/")
    return lambda name: name


def _damaged(problem: str) -> NoReturn:
    raise SubmissionRejected("damaged", f"the zip archive is damaged: {problem}; pack it again")


def _directory_span(raw: bytes) -> tuple[int, int, int]:
    """Where the central directory starts and ends, and how many entries it counts."""
    # The last one; a comment that holds another could be read as one, or as none.
    at = raw.rfind(b"PK\5\6", max(0, len(raw) - _END.size - _UNSET16))
    if at < 0 or at + _END.size > len(raw):
        _damaged("it has no end record (not fully uploaded?)")
    _, disk, first_disk, here, total, length, offset, comment = _END.unpack_from(raw, at)
    if at + _END.size + comment != len(raw):
        _damaged("it does not end where its last end record says (not fully uploaded?)")
    if _UNSET16 in (here, total) or _UNSET32 in (length, offset):
        raise SubmissionRejected(
            "unsupported",
            "the submission is a zip64 archive; pack a plain zip, without data and environments",
        )
    if disk or first_disk or here != total or offset + length != at:
        _damaged("its directory is not where the end record says")
    return offset, at, total


def _entries(raw: bytes, offset: int, end: int, total: int) -> Iterator[_Entry]:
    for _ in range(total):
        if offset + _CENTRAL.size > end or raw[offset : offset + 4] != b"PK\1\2":
            _damaged("its directory is cut off")
        fields = _CENTRAL.unpack_from(raw, offset)
        flags, method, crc, packed, size = fields[3], fields[4], *fields[7:10]
        name_size, extra_size, comment_size = fields[10:13]
        name_at = offset + _CENTRAL.size
        offset = name_at + name_size + extra_size + comment_size
        if offset > end:
            _damaged("its directory is cut off")
        name = raw[name_at : name_at + name_size]
        extra = raw[name_at + name_size : name_at + name_size + extra_size]
        size, packed, local = _wide(extra, (size, packed, fields[16]))
        yield _Entry(name, flags, method, crc, packed, size, fields[15] >> 16, local, extra)
    if offset != end:
        _damaged("its directory holds more than it counts")


def _wide(extra: bytes, values: tuple[int, int, int]) -> list[int]:
    """Fill 32-bit fields that are all ones from the zip64 extra field, in their fixed order."""
    found = list(values)
    unset = [i for i, value in enumerate(values) if value == _UNSET32]
    wide = [body for kind, body in _fields(extra) if kind == _ZIP64]
    if not wide:
        return found
    if len(wide) > 1 or not unset:
        _damaged("it holds zip64 sizes that its directory does not ask for")
    if len(wide[0]) < 8 * len(unset):
        _damaged("a zip64 field is cut off")
    for i, value in zip(unset, struct.unpack_from(f"<{len(unset)}Q", wide[0]), strict=True):
        found[i] = value
    return found


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each extra field; up to three bytes may be left over."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4 + length
        if at > len(extra):
            _damaged("a zip64 field is cut off" if kind == _ZIP64 else "an extra field is cut off")
        yield kind, extra[at - length : at]


def _is_descriptor(raw: bytes, begin: int, end: int, entry: _Entry | None) -> bool:
    """Whether bytes behind an entry repeat its checksum and sizes, as streaming packers do."""
    if entry is None:
        return False
    told = (entry.crc, entry.packed, entry.size)
    forms = [struct.pack(form, *told) for form in ("<3L", "<L2Q")]
    flags = entry.flags | _LOCAL.unpack_from(raw, entry.offset)[2]
    return bool(flags & _SIZES_FOLLOW) and raw[begin:end] in (
        *forms,
        *(_DESCRIPTOR + form for form in forms),
    )


def _check_names(
    raw: bytes, entry: _Entry, basket: Basket, forward: Callable[[bytes], bytes]
) -> None:
    """Hold that an entry has one name, whichever of its places an unpacker looks at."""
    name_size, extra_size = _LOCAL.unpack_from(raw, entry.offset)[-2:]
    name_at = entry.offset + _LOCAL.size
    extra_at = name_at + name_size
    names = {raw[name_at:extra_at]}
    local_extra = raw[extra_at : extra_at + extra_size]
    for kind, body in (*_fields(entry.extra), *_fields(local_extra)):
        if kind == _UNICODE_PATH:
            names.add(body[5:])  # behind a version and a checksum
    for name in names - {entry.name}:
        # What is left out may be spelled in two ways, as long as either is.
        if not (basket.leaves_out(forward(entry.name)) and basket.leaves_out(forward(name))):
            reject(
                "name-mismatch", entry.name, "has another name inside the archive; pack it again"
            )


def _data_start(raw: bytes, entry: _Entry) -> int:
    """Where an entry's bytes start, which only its local header says."""
    if entry.offset + _LOCAL.size > len(raw) or raw[entry.offset : entry.offset + 4] != b"PK\3\4":
        _damaged("an entry is not where the directory says")
    name_size, extra_size = _LOCAL.unpack_from(raw, entry.offset)[-2:]
    start: int = entry.offset + _LOCAL.size + name_size + extra_size
    if start + entry.packed > len(raw):
        _damaged("an entry is cut off")
    return start


def _check_local(raw: bytes, entry: _Entry) -> None:
    """Check an entry's local header against the directory."""
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(
        raw, entry.offset
    )
    extra_at = entry.offset + _LOCAL.size + name_size
    if (entry.flags | flags) & _ENCRYPTED or _AES in (entry.method, method):
        reject("encrypted", entry.name, "is encrypted; pack it without a password")
    if entry.method not in (_STORED, _DEFLATED):
        reject(
            "unsupported",
            entry.name,
            f"is compressed with method {entry.method}; pack it with plain zip (deflate)",
        )
    told = ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    follows = {0} if flags & _SIZES_FOLLOW else set()
    wide = {
        value
        for kind, body in _fields(raw[extra_at : extra_at + extra_size])
        if kind == _ZIP64
        for (value,) in struct.iter_unpack("<Q", body[: min(len(body) // 8 * 8, 16)])
    }
    if (
        method != entry.method
        or any(local not in {central, _UNSET32, *follows} for local, central in told)
        or wide - {entry.packed, entry.size, *follows}
    ):
        _damaged("an entry's two headers contradict each other")


def _odd_kind(entry: _Entry, *, folder: bool) -> tuple[str, str] | None:
    """Code and problem of an entry that is neither a clean file nor a clean folder."""
    kind = stat.S_IFMT(entry.mode)
    if kind == stat.S_IFLNK:
        return "symlink", "is a symbolic link; pack the file itself"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFREG and folder):
        return "special-file", "is not a regular file; leave it out"
    if (kind == stat.S_IFDIR and not folder) or (folder and entry.size):
        return "special-file", "is neither a clean file nor a clean folder"
    return None


def _unpack(raw: bytes, entry: _Entry, start: int) -> bytes:
    packed = memoryview(raw)[start : start + entry.packed]
    if entry.method == _STORED:
        data = bytes(packed)
    else:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # One byte more than declared shows a lie; the declared size is already within limits.
            data = unpacker.decompress(packed, entry.size + 1)
        except zlib.error:
            _damaged("an entry cannot be decompressed")
        if len(data) == entry.size and (not unpacker.eof or unpacker.unused_data):
            _damaged("an entry does not end where it should")
    if len(data) != entry.size or zlib.crc32(data) != entry.crc:
        reject("damaged", entry.name, "does not match its size and checksum; pack it again")
    return data
