"""Zip and tar archives made by hand, byte by byte, so that a test can lie in any field."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from dataclasses import dataclass

UNIX = 3 << 8 | 20
REGULAR = 0o100644


@dataclass
class Item:
    """One zip entry; what is None is filled in truthfully."""

    name: bytes
    data: bytes = b"x = 1\n"
    method: int = 8
    flags: int = 0
    mode: int = REGULAR
    local_name: bytes | None = None
    size: int | None = None
    packed: int | None = None
    crc: int | None = None
    offset: int | None = None
    local_method: int | None = None
    local_size: int | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    local_flags: int | None = None
    local_crc: int | None = None
    local_packed: int | None = None
    after: bytes = b""
    payload: bytes | None = None

    def body(self) -> bytes:
        if self.payload is not None:
            return self.payload
        if self.method != 8:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return packer.compress(self.data) + packer.flush()


def zip_of(*items: Item, total: int | None = None, comment: bytes = b"") -> bytes:
    """A zip archive of `items`."""
    out = io.BytesIO()
    central = []
    for item in items:
        body = item.body()
        crc = zlib.crc32(item.data) if item.crc is None else item.crc
        packed = len(body) if item.packed is None else item.packed
        size = len(item.data) if item.size is None else item.size
        local_name = item.name if item.local_name is None else item.local_name
        offset = out.tell() if item.offset is None else item.offset
        local_method = item.method if item.local_method is None else item.local_method
        local_size = size if item.local_size is None else item.local_size
        if item.offset is None:
            out.write(
                struct.pack(
                    "<4s5H3L2H", b"PK\3\4", 20,
                    item.flags if item.local_flags is None else item.local_flags,
                    local_method, 0, 33,
                    crc if item.local_crc is None else item.local_crc,
                    packed if item.local_packed is None else item.local_packed,
                    local_size, len(local_name), len(item.local_extra),
                )
            )  # fmt: skip
            out.write(local_name + item.local_extra + body + item.after)
        central.append(
            struct.pack(
                "<4s6H3L5H2L", b"PK\1\2", UNIX, 20, item.flags, item.method, 0, 33,
                crc, packed, size, len(item.name), len(item.extra), 0, 0, 0,
                item.mode << 16, offset,
            )
            + item.name
            + item.extra
        )  # fmt: skip
    start = out.tell()
    out.write(b"".join(central))
    count = len(items) if total is None else total
    length = out.tell() - start
    out.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, len(comment)))
    return out.getvalue() + comment


def member(name: str, data: bytes = b"x = 1\n", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """One tar member; `fields` are attributes of `tarfile.TarInfo`."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def tar_of(
    *members: tuple[tarfile.TarInfo, bytes], mode: str = "w", kind: int = tarfile.GNU_FORMAT
) -> bytes:
    """A tar archive of `members`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=kind) as tar:  # type: ignore[call-overload]
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return out.getvalue()


def raw_header(name: bytes, kind: bytes, size: int, link: bytes = b"") -> bytes:
    """One ustar header block with a right checksum."""
    head = bytearray(512)
    head[: len(name)] = name
    head[100:108] = b"0000644\0"
    head[124:136] = b"%011o\0" % size
    head[156:157] = kind
    head[157 : 157 + len(link)] = link
    head[257:265] = b"ustar\x0000"
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def padded(data: bytes) -> bytes:
    """`data` filled up to whole tar blocks."""
    return data + bytes(-len(data) % 512)
