"""Runs inside the image build: the locale that scripts most often ask for beside C.UTF-8.

The sources of locales are in no slim image, and a build has no network. American English differs
from C.UTF-8 in how it groups digits, which is one small file; everything else is taken over.
"""

import pathlib
import shutil
import struct

MAGIC = 0x20031115 ^ 1  # glibc's LIMAGIC(LC_NUMERIC)


def lc_numeric(decimal: str, thousands: str, grouping: bytes) -> bytes:
    """One file in glibc's compiled form: a table of offsets, then the values."""
    values = [
        decimal.encode() + b"\0",
        thousands.encode() + b"\0",
        grouping + b"\0",
        struct.pack("=I", ord(decimal)),
        struct.pack("=I", ord(thousands)),
        b"UTF-8\0",
    ]
    at = 8 + 4 * len(values)
    offsets, body = [], b""
    for index, value in enumerate(values):
        if index in {3, 4}:  # numbers are aligned
            body += bytes(-(at + len(body)) % 4)
        offsets.append(at + len(body))
        body += value
    return struct.pack(f"=2I{len(values)}I", MAGIC, len(values), *offsets) + body


folder = pathlib.Path("/usr/lib/locale")
shutil.copytree(folder / "C.utf8", folder / "en_US.utf8")
(folder / "en_US.utf8" / "LC_NUMERIC").write_bytes(lc_numeric(".", ",", b"\3\3"))
