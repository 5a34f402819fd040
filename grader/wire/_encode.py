"""The writer: size, depth, and the sequences that are packed when all items are alike."""

from __future__ import annotations

import array
import struct
import sys
from collections.abc import Callable
from typing import Any, Final

from grader.wire._tags import (
    MAX_DEPTH,
    MAX_NAME,
    VERSION,
    EncodeError,
    EncodeTooLargeError,
    NotDataError,
    Pack,
    Tag,
)
from grader.wire.values import Handle

_U32: Final = struct.Struct("<I").pack
_COUNTED: Final = struct.Struct("<BI").pack
_TAGGED_COUNT: Final = _COUNTED
_TAGGED_FLOAT: Final = struct.Struct("<Bd").pack
_TAGGED_INT: Final = struct.Struct("<Bq").pack
# Packing pays from about this many items.
FEW: Final = 4
SHORT: Final = 1 << 12
MAX_SHORT_INT: Final = 1 << 63

Write = Callable[["Encoder", Any], None]


class _Writers(dict[type, Write]):
    """One writer for each exact type, and a rule for the others."""

    other: Callable[[type], Write]

    def __missing__(self, cls: type) -> Write:
        return self.other(cls)


WRITERS: Final = _Writers()
"""The other modules of the encoder fill this table."""


class Encoder:
    """Writes one value.

    Args:
        handle: turns an object that is not data into a handle; None refuses such objects.
        max_bytes: most bytes that the payload may take.
        origins: whether every record of a class gets the handle of the object that it stands for.
    """

    def __init__(
        self,
        handle: Callable[[object], Handle] | None,
        max_bytes: int,
        *,
        origins: bool = False,
    ) -> None:
        self.out = bytearray((VERSION,))
        self.handle = handle
        self.max_bytes = max_bytes
        self.origins = origins
        self.depth = 0
        self.classes: dict[type, tuple[tuple[str, ...], bool]] = {}  # looked at once a value

    def value(self, obj: object) -> None:
        """Write any value, with a handle in its place where it is not data."""
        start = len(self.out)
        depth = self.depth
        try:
            self.part(obj)
        except NotDataError as error:
            del self.out[start:]
            self.depth = depth
            if self.handle is None:
                raise EncodeError(f"{type_name(type(obj))} is not data: {error}") from None
            WRITERS[Handle](self, self.handle(obj))

    def part(self, obj: object) -> None:
        """Write a value that its container cannot do without: nothing replaces it.

        Raises:
            NotDataError: it is not data, so the container is not either.
            EncodeError: nested too deep.
            EncodeTooLargeError: past the limit.
        """
        if len(self.out) > self.max_bytes:
            self.fits(0)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise EncodeError(f"nested deeper than {MAX_DEPTH} levels, or holds itself")
        WRITERS[type(obj)](self, obj)
        self.depth -= 1

    def fits(self, size: int) -> None:
        """Check that `size` more bytes stay within the limit, before they are made.

        Raises:
            EncodeTooLargeError: they do not.
        """
        if len(self.out) + size > self.max_bytes:
            raise EncodeTooLargeError(f"the value takes more than {self.max_bytes} bytes")

    def blob(self, data: bytes | bytearray | memoryview) -> None:
        """Write bytes behind their count (u32)."""
        self.fits(len(data) + 4)
        self.out += _U32(len(data))
        self.out += data

    def text(self, text: str) -> None:
        """Write a str as UTF-8; lone surrogates survive."""
        self.fits(str.__len__(text))
        self.blob(str.encode(text, "utf-8", "surrogatepass"))

    def short(self, text: str) -> None:
        """Write an ASCII name from one of our lists (u8 count)."""
        data = text.encode("ascii")
        self.out.append(len(data))
        self.out += data

    def count(self, number: int) -> None:
        """Write a count (u32)."""
        self.fits(number)  # every item takes a byte or more
        self.out += _U32(number)

    def sequence(self, items: list[Any] | tuple[Any, ...]) -> None:
        """Write items one by one, or packed when all are int64, float, str or bool."""
        size = len(items)
        self.fits(size)
        kinds = set(map(type, items)) if size > FEW else ()
        if len(kinds) == 1:
            kind = next(iter(kinds))
            if kind is str:
                self.out += _COUNTED(Pack.STR, size)
                return self.strings(items)
            if kind is float:
                self.fits(8 * size)
                self.out += _COUNTED(Pack.FLOAT, size)
                self.out += _little(array.array("d", items))
                return None
            if kind is bool:
                self.out += _COUNTED(Pack.BOOL, size)
                self.out += bytes(items)
                return None
            if kind is int:
                self.fits(8 * size)
                try:
                    packed = array.array("q", items)
                except OverflowError:
                    pass
                else:
                    self.out += _COUNTED(Pack.INT, size)
                    self.out += _little(packed)
                    return None
        self.out += _COUNTED(Pack.ITEMS, size)
        self.items(items)
        return None

    def items(self, items: list[Any] | tuple[Any, ...]) -> None:
        """Write values one by one; the commonest kinds without a call each."""
        out = self.out
        if items and self.depth >= MAX_DEPTH:
            raise EncodeError(f"nested deeper than {MAX_DEPTH} levels, or holds itself")
        for item in items:
            kind = type(item)
            if kind is str and len(item) < SHORT:
                data = item.encode("utf-8", "surrogatepass")
                out += _TAGGED_COUNT(Tag.STR, len(data))
                out += data
            elif kind is float:
                out += _TAGGED_FLOAT(Tag.FLOAT, item)
            elif kind is int and -MAX_SHORT_INT < item < MAX_SHORT_INT:
                out += _TAGGED_INT(Tag.INT, item)
            else:
                self.value(item)
                continue
            if len(out) > self.max_bytes:
                self.fits(0)

    def strings(self, items: list[str] | tuple[str, ...]) -> None:
        """Write strings as their lengths in code points (u32 each) and one joined text."""
        lengths = array.array("I", map(len, items))
        self.fits(4 * len(items) + sum(lengths))
        self.out += _little(lengths)
        self.text("".join(items))


def _little(items: array.array[Any]) -> array.array[Any]:
    if sys.byteorder == "big":
        items.byteswap()
    return items


def type_name(cls: type) -> str:
    """Name a class, cut to what a name may take."""
    return str(cls.__name__)[:MAX_NAME]
