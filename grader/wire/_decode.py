"""The reader: counts, depth, and the budget of objects.

The bytes are hostile. Every count is held against the bytes that remain before anything is
allocated for it, and the budget bounds the number of objects, so memory stays within a small
multiple of the payload. The readers raise whatever the constructors raise; `codec.decode` maps
all of it to `DecodeError`.
"""

from __future__ import annotations

import array
import itertools
import struct
import sys
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from grader.wire._tags import VERSION, DecodeError, Pack, Tag

_U32: Final = struct.Struct("<I").unpack_from
_I64: Final = struct.Struct("<q").unpack_from
_F64: Final = struct.Struct("<d").unpack_from

# What objects cost beside their bytes on the wire, in items of some 64 bytes each.
COST_CONTAINER: Final = 4
COST_ARRAY: Final = 8
COST_PANDAS: Final = 100
# What making them takes, in microseconds of a slow machine. The sum is bounded whatever the
# length: some bytes are a millisecond's work, and the judge's time is not the candidate's.
WORK_VALUE: Final = 2
WORK_SMALL: Final = 4
WORK_OBJECT: Final = 15
WORK_ZONE: Final = 100
WORK_CONTAINER: Final = 6
WORK_ARRAY: Final = 10
WORK_SCALAR: Final = 20
WORK_PANDAS: Final = 150
WORK_CALENDAR: Final = 1500
WORK_CALENDAR_ROW: Final = 10
MAX_WORK: Final = 10_000_000
# Cells of arrays are the cheapest of all on the wire, a byte each, until somebody lists them.
CELLS_PER_ITEM: Final = 4
TOO_MUCH: Final = "more items than a payload may hold, or dearer ones"
# A payload may spend this much more than its own length.
FREE_ITEMS: Final = 500_000
# Keys that all have one hash make a dict quadratic. Honest keys share one in pairs at most.
_MANY_KEYS: Final = 32
_MAX_SAME_HASH: Final = 16


def need(condition: object, what: str) -> None:
    """Raise `DecodeError` with `what` unless the condition holds."""
    if not condition:
        raise DecodeError(what)


class Decoder:
    """Reads one value.

    Args:
        data: the payload.
        max_depth: deepest nesting.
        max_items: most items in all containers together, and most labels of an index; arrays
            may have `CELLS_PER_ITEM` times as many cells together.
        max_work: most work in all, in microseconds of a slow machine.
        after: the reader of a payload that came before this one and shares its limits.
    """

    def __init__(
        self,
        data: bytes,
        max_depth: int,
        max_items: int,
        max_work: int = MAX_WORK,
        after: Decoder | None = None,
    ) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.depth = 0
        self.max_depth = max_depth
        self.max_items = max_items
        self.length: int = len(data) + (after.length if after else 0)
        self.allowed: int = min(max_items, FREE_ITEMS + 2 * self.length)
        self.budget: int = self.allowed - (after.allowed - after.budget if after else 0)
        self.work: int = after.work if after else max_work
        self.cells: int = after.cells if after else CELLS_PER_ITEM * max_items

    def payload(self) -> object:
        """Read the whole payload: the version, one value, nothing behind it."""
        if self.u8() != VERSION:
            raise DecodeError("unknown version")
        result = self.value()
        if self.pos != self.end:
            raise DecodeError(f"{self.end - self.pos} bytes behind the value")
        return result

    def value(self) -> Any:  # noqa: ANN401 - the point of a codec
        """Read any value."""
        pos = self.pos
        if pos >= self.end:
            raise DecodeError("the payload ends early")
        read = READERS[self.data[pos]]
        if read is None:
            raise DecodeError(f"unknown tag {self.data[pos]}")
        self.pos = pos + 1
        self.depth += 1
        if self.depth > self.max_depth:
            raise DecodeError(f"nested deeper than {self.max_depth} levels")
        self.work -= WORK_VALUE
        if self.work < 0:
            raise DecodeError(TOO_MUCH)
        result = read(self)
        self.depth -= 1
        return result

    def take(self, size: int) -> int:
        """Move past `size` bytes and return where they start."""
        pos = self.pos
        if size > self.end - pos:
            raise DecodeError(f"{size} bytes announced, {self.end - pos} left")
        self.pos = pos + size
        return pos

    def charge(self, items: int, work: int = 0) -> None:
        """Spend from the budget of objects and from that of time."""
        self.budget -= items
        self.work -= work
        if self.budget < 0 or self.work < 0:
            raise DecodeError(TOO_MUCH)

    def charge_cells(self, cells: int) -> None:
        """Spend from the budget of cells of arrays."""
        self.cells -= cells
        if self.cells < 0:
            raise DecodeError(TOO_MUCH)

    def u8(self) -> int:
        """Read one byte."""
        pos = self.pos
        self.pos = pos + 1
        return self.data[pos]  # an IndexError past the end is as good as our own

    def flag(self) -> bool:
        """Read a byte that is 0 or 1."""
        byte = self.u8()
        if byte > 1:
            raise DecodeError(f"a flag of {byte}")
        return byte == 1

    def u32(self) -> int:
        """Read a count."""
        pos = self.pos
        self.pos = pos + 4
        number: int = _U32(self.data, pos)[0]
        return number

    def i64(self) -> int:
        """Read a signed number."""
        pos = self.pos
        self.pos = pos + 8
        number: int = _I64(self.data, pos)[0]
        return number

    def blob(self) -> bytes:
        """Read bytes behind their count."""
        size = self.u32()
        pos = self.take(size)
        return self.data[pos : pos + size]

    def text(self) -> str:
        """Read a str; lone surrogates pass."""
        return self.blob().decode("utf-8", "surrogatepass")

    def short(self) -> str:
        """Read an ASCII name."""
        size = self.u8()
        pos = self.take(size)
        return self.data[pos : pos + size].decode("ascii")

    def sequence(self) -> list[Any]:
        """Read the items of a list, tuple, set or object array."""
        pack = self.u8()
        size = self.u32()
        width = _WIDTHS.get(pack)
        if width is None:
            raise DecodeError(f"unknown packing {pack}")
        if size * width > self.end - self.pos:
            raise DecodeError(f"{size} items announced, {self.end - self.pos} bytes left")
        self.charge(size + COST_CONTAINER, WORK_CONTAINER)
        if pack == Pack.ITEMS:
            return self.items(size)
        if pack == Pack.STR:
            return self.strings(size)
        pos = self.take(size * width)
        data = self.data[pos : pos + size * width]
        if pack == Pack.BOOL:
            if data.translate(None, b"\0\1"):
                raise DecodeError("a bool that is neither 0 nor 1")
            return list(map(bool, data))
        return _unpack("q" if pack == Pack.INT else "d", data).tolist()

    def items(self, size: int) -> list[Any]:
        """Read values one by one; the commonest kinds without a call each."""
        if size and self.depth >= self.max_depth:
            raise DecodeError(f"nested deeper than {self.max_depth} levels")
        data = self.data
        result: list[Any] = []
        add = result.append
        for _ in range(size):
            pos = self.pos
            tag = data[pos]
            if tag == Tag.STR:
                start = pos + 5
                self.pos = end = start + _U32(data, pos + 1)[0]
                if end > self.end:
                    raise DecodeError("a text longer than the payload")
                add(data[start:end].decode("utf-8", "surrogatepass"))
            elif tag == Tag.FLOAT:
                add(_F64(data, pos + 1)[0])
                self.pos = pos + 9
            elif tag == Tag.INT:
                add(_I64(data, pos + 1)[0])
                self.pos = pos + 9
            else:
                add(self.value())
        return result

    def strings(self, size: int) -> list[str]:
        """Read strings written as lengths in code points and one text."""
        pos = self.take(4 * size)
        lengths = _unpack("I", self.data[pos : pos + 4 * size])
        text = self.text()
        ends = list(itertools.accumulate(lengths, initial=0))
        if ends[-1] != len(text):
            raise DecodeError("lengths of strings that do not add up")
        return [text[start:end] for start, end in itertools.pairwise(ends)]


Read = Callable[[Decoder], Any]
_WIDTHS: Final = {Pack.ITEMS: 1, Pack.INT: 8, Pack.FLOAT: 8, Pack.STR: 4, Pack.BOOL: 1}


def _unpack(code: str, data: bytes) -> array.array[Any]:
    items = array.array(code, data)
    if sys.byteorder == "big":
        items.byteswap()
    return items


def check_hashes(keys: Sequence[Hashable]) -> None:
    """Refuse keys made to share a hash, before they go into a dict or set.

    Raises:
        DecodeError: too many keys have the same hash.
        TypeError: a key is unhashable.
    """
    if len(keys) > _MANY_KEYS:
        # A dict of hashes would suffer the same attack; sorting does not.
        hashes = sorted(map(hash, keys))
        longest = max(len(list(run)) for _, run in itertools.groupby(hashes))
        if longest > _MAX_SAME_HASH:
            raise DecodeError("keys made to collide")


READERS: Final[list[Callable[[Decoder], Any] | None]] = [None] * 256
"""One reader for each tag; the other modules of the decoder fill this table."""
