"""Bytes to Python values; `_decode_arrays` does the same for numpy and pandas.

The bytes are hostile. Every count is held against the bytes that remain before anything is
allocated for it, and a budget bounds the number of objects, so memory stays within a small
multiple of the payload. The reader raises whatever the constructors raise; `codec.decode` maps
all of it to `DecodeError`.
"""

from __future__ import annotations

import array
import datetime as dt
import decimal
import fractions
import itertools
import pathlib
import struct
import sys
import uuid
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from grader.wire import values
from grader.wire._types import (
    MAX_DECIMAL_CHARS,
    MAX_FRACTION_BYTES,
    MAX_INT_BYTES,
    MAX_NAME,
    TYPES,
    VERSION,
    DecodeError,
    Pack,
    Tag,
    Zone,
    zone,
)

_U32: Final = struct.Struct("<I").unpack_from
_I64: Final = struct.Struct("<q").unpack_from
_F64: Final = struct.Struct("<d").unpack_from

# What objects cost beside their bytes on the wire, in items of some 64 bytes each.
COST_CONTAINER: Final = 4
COST_ARRAY: Final = 8
COST_PANDAS: Final = 100
# A payload may spend this much more than its own length.
FREE_ITEMS: Final = 500_000
# Keys that all have one hash make a dict quadratic. Honest keys share one in pairs at most.
_MANY_KEYS: Final = 32
_MAX_SAME_HASH: Final = 16


class Decoder:
    """Reads one value.

    Args:
        data: the payload.
        max_depth: deepest nesting.
        max_items: most items in all containers together, and most rows of a range index.
    """

    def __init__(self, data: bytes, max_depth: int, max_items: int) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.depth = 0
        self.max_depth = max_depth
        self.max_items = max_items
        self.budget = min(max_items, FREE_ITEMS + 2 * len(data))

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

    def charge(self, items: int) -> None:
        """Spend from the budget of objects."""
        self.budget -= items
        if self.budget < 0:
            raise DecodeError("more items than a payload may hold")

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
        self.charge(size + COST_CONTAINER)
        if pack == Pack.ITEMS:
            value = self.value
            return [value() for _ in range(size)]
        if pack == Pack.STR:
            return self.strings(size)
        pos = self.take(size * width)
        data = self.data[pos : pos + size * width]
        if pack == Pack.BOOL:
            if data.translate(None, b"\0\1"):
                raise DecodeError("a bool that is neither 0 nor 1")
            return list(map(bool, data))
        return _unpack("q" if pack == Pack.INT else "d", data).tolist()

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


def _constant(value: object) -> Read:
    return lambda _dec: value


def _bigint(dec: Decoder) -> int:
    data = dec.blob()
    if len(data) > MAX_INT_BYTES:
        raise DecodeError("an int too long")
    number = int.from_bytes(data, "little", signed=True)
    if len(data) != number.bit_length() // 8 + 1:
        raise DecodeError("an int with padding")
    return number


def _float(dec: Decoder) -> float:
    return float(_F64(dec.data, dec.take(8))[0])


def _set(dec: Decoder) -> set[Any]:
    items = dec.sequence()
    dec.charge(len(items))
    check_hashes(items)
    result = set(items)
    if len(result) != len(items):
        raise DecodeError("a set with a member twice")
    return result


def _dict(dec: Decoder) -> dict[Any, Any]:
    keys = dec.sequence()
    dec.charge(2 * len(keys))
    check_hashes(keys)
    result = dict(zip(keys, dec.sequence(), strict=True))
    if len(result) != len(keys):
        raise DecodeError("a dict with a key twice")
    return result


def _integer(dec: Decoder) -> int:
    """Read an int that a composite needs: a tag byte first, as any int has."""
    tag = dec.u8()
    if tag == Tag.INT:
        return dec.i64()
    if tag == Tag.BIGINT:
        return _bigint(dec)
    raise DecodeError("an int was due")


def _range(dec: Decoder) -> range:
    return range(_integer(dec), _integer(dec), _integer(dec))


def read_zone(dec: Decoder) -> dt.tzinfo | None:
    """Read a time zone or None."""
    kind = dec.u8()
    if kind == Zone.NONE:
        return None
    if kind == Zone.UTC:
        return dt.UTC
    if kind == Zone.ZONEINFO:
        return zone(dec.short())
    if kind not in (Zone.FIXED, Zone.NAMED_FIXED) or dec.u8() != Tag.TIMEDELTA:
        raise DecodeError("unknown kind of time zone")
    offset = _timedelta(dec)
    return dt.timezone(offset, dec.text()) if kind == Zone.NAMED_FIXED else dt.timezone(offset)


def _timezone(dec: Decoder) -> dt.tzinfo:
    tz = read_zone(dec)
    if tz is None:
        raise DecodeError("a time zone of None")
    return tz


def _struct(dec: Decoder, layout: str) -> tuple[int, ...]:
    return struct.unpack_from(layout, dec.data, dec.take(struct.calcsize(layout)))


def _datetime(dec: Decoder) -> dt.datetime:
    *fields, fold = _struct(dec, "<HBBBBBIB")
    return dt.datetime(*fields, tzinfo=read_zone(dec), fold=fold)  # type: ignore[arg-type]


def _time(dec: Decoder) -> dt.time:
    *fields, fold = _struct(dec, "<BBBIB")
    return dt.time(*fields, tzinfo=read_zone(dec), fold=fold)  # type: ignore[arg-type]


def _timedelta(dec: Decoder) -> dt.timedelta:
    days, seconds, micros = _struct(dec, "<iII")
    if seconds >= 86_400 or micros >= 1_000_000:  # noqa: PLR2004 - a day, a second
        raise DecodeError("a timedelta that is not in its normal form")
    return dt.timedelta(days, seconds, micros)


def _decimal(dec: Decoder) -> decimal.Decimal:
    text = dec.text()
    if len(text) > MAX_DECIMAL_CHARS:
        raise DecodeError("a Decimal too long")
    return decimal.Decimal(text)


def _fraction(dec: Decoder) -> fractions.Fraction:
    parts = (_integer(dec), _integer(dec))
    if max(part.bit_length() for part in parts) >= 8 * MAX_FRACTION_BYTES:
        raise DecodeError("a Fraction too long")
    result = fractions.Fraction(*parts)
    if result.denominator != parts[1]:
        raise DecodeError("a Fraction that is not reduced")
    return result


def _uuid(dec: Decoder) -> uuid.UUID:
    pos = dec.take(16)
    return uuid.UUID(bytes=dec.data[pos : pos + 16])


def _type(dec: Decoder) -> type:
    name = dec.short()
    if name not in TYPES:
        raise DecodeError(f"no such type: {name[:40]!r}")
    return TYPES[name]


def _name(dec: Decoder) -> str:
    name = dec.text()
    if len(name) > MAX_NAME:
        raise DecodeError("a type name too long")
    return name


def _handle(dec: Decoder) -> values.Handle:
    number, session = _integer(dec), _integer(dec)
    callable_ = dec.flag()
    return values.Handle(number, _name(dec), callable_, session)


def _record(dec: Decoder) -> values.Record:
    type_name = _name(dec)
    is_tuple = dec.flag()
    handle = dec.value()
    names = dec.sequence()
    if not all(type(name) is str and name.isidentifier() for name in names):
        raise DecodeError("a field whose name is no identifier")
    dec.charge(len(names))
    check_hashes(names)
    fields = dict(zip(names, dec.sequence(), strict=True))
    if len(fields) != len(names) or type(handle) not in (type(None), values.Handle):
        raise DecodeError("a record that makes no sense")
    return values.Record(type_name, fields, is_tuple, handle)


def _file_tree(dec: Decoder) -> values.FileTree:
    size = dec.u32()
    if 8 * size > dec.end - dec.pos:
        raise DecodeError("more files than bytes")
    dec.charge(2 * size)
    files = [(dec.text(), dec.blob()) for _ in range(size)]
    check_hashes([path for path, _ in files])
    tree = dict(files)
    if len(tree) != size:
        raise DecodeError("a file twice")
    return values.FileTree(tree)


def _recipe(dec: Decoder) -> values.Recipe:
    kind, params = dec.text(), dec.value()
    if type(params) is not dict or not all(type(name) is str for name in params):
        raise DecodeError("a recipe without parameters")
    return values.Recipe(kind, params)


READERS: Final[list[Read | None]] = [None] * 256
"""One reader for each tag. `_decode_arrays` adds numpy's and pandas'."""

for _tag, _read in {
    Tag.NONE: _constant(None),
    Tag.TRUE: _constant(True),
    Tag.FALSE: _constant(False),
    Tag.ELLIPSIS: _constant(...),
    Tag.INT: Decoder.i64,
    Tag.BIGINT: _bigint,
    Tag.FLOAT: _float,
    Tag.COMPLEX: lambda dec: complex(_float(dec), _float(dec)),
    Tag.STR: Decoder.text,
    Tag.BYTES: Decoder.blob,
    Tag.BYTEARRAY: lambda dec: bytearray(dec.blob()),
    Tag.LIST: Decoder.sequence,
    Tag.TUPLE: lambda dec: tuple(dec.sequence()),
    Tag.SET: _set,
    Tag.FROZENSET: lambda dec: frozenset(_set(dec)),
    Tag.DICT: _dict,
    Tag.RANGE: _range,
    Tag.SLICE: lambda dec: slice(dec.value(), dec.value(), dec.value()),
    Tag.DATETIME: _datetime,
    Tag.DATE: lambda dec: dt.date(*_struct(dec, "<HBB")),
    Tag.TIME: _time,
    Tag.TIMEDELTA: _timedelta,
    Tag.TIMEZONE: _timezone,
    Tag.DECIMAL: _decimal,
    Tag.FRACTION: _fraction,
    Tag.UUID: _uuid,
    Tag.PATH: lambda dec: pathlib.PurePosixPath(dec.text()),
    Tag.TYPE: _type,
    Tag.HANDLE: _handle,
    Tag.RECORD: _record,
    Tag.FILE_TREE: _file_tree,
    Tag.STREAM: lambda dec: values.Stream(_integer(dec)),
    Tag.RECIPE: _recipe,
}.items():
    READERS[_tag] = _read
