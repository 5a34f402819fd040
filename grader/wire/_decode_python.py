"""Bytes to Python's own types: `register` adds them to the decoder's table."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import pathlib
import struct
import uuid
from typing import Any, Final

from grader.wire._decode import READERS, WORK_OBJECT, WORK_SMALL, Decoder, Read, check_hashes
from grader.wire._tags import (
    MAX_DECIMAL_CHARS,
    MAX_FRACTION_BYTES,
    MAX_INT_BYTES,
    MAX_NAME,
    DecodeError,
    Tag,
    Zone,
)
from grader.wire._types import TYPES, find_zone
from grader.wire.values import FileTree, Handle, KeptDict, KeptList, Recipe, Record, Stream

_F64: Final = struct.Struct("<d").unpack_from


_DECIMAL_CHARS_PER_US: Final = 20
_FRACTION_BITS_PER_US: Final = 200_000  # squared: reducing takes quadratic time


def _constant(value: object) -> Read:
    return lambda _dec: value


def _bigint(dec: Decoder) -> int:
    dec.charge(0, WORK_SMALL)
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
    dec.charge(0, WORK_SMALL)
    if kind == Zone.ZONEINFO:
        return find_zone(dec.short())
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
    dec.charge(0, WORK_SMALL)
    year, month, day, hour, minute, second, micro, fold = _struct(dec, "<HBBBBBIB")
    zone = read_zone(dec)
    return dt.datetime(year, month, day, hour, minute, second, micro, zone, fold=fold)


def _date(dec: Decoder) -> dt.date:
    dec.charge(0, WORK_SMALL)
    return dt.date(*_struct(dec, "<HBB"))


def _time(dec: Decoder) -> dt.time:
    dec.charge(0, WORK_SMALL)
    hour, minute, second, micro, fold = _struct(dec, "<BBBIB")
    return dt.time(hour, minute, second, micro, read_zone(dec), fold=fold)


def _timedelta(dec: Decoder) -> dt.timedelta:
    dec.charge(0, WORK_SMALL)
    days, seconds, micros = _struct(dec, "<iII")
    if seconds >= 86_400 or micros >= 1_000_000:  # noqa: PLR2004 - a day, a second
        raise DecodeError("a timedelta that is not in its normal form")
    return dt.timedelta(days, seconds, micros)


def _decimal(dec: Decoder) -> decimal.Decimal:
    text = dec.text()
    if len(text) > MAX_DECIMAL_CHARS:
        raise DecodeError("a Decimal too long")
    dec.charge(0, WORK_SMALL + len(text) // _DECIMAL_CHARS_PER_US)
    return decimal.Decimal(text)


def _fraction(dec: Decoder) -> fractions.Fraction:
    parts = (_integer(dec), _integer(dec))
    bits = max(part.bit_length() for part in parts)
    if bits >= 8 * MAX_FRACTION_BYTES:
        raise DecodeError("a Fraction too long")
    dec.charge(0, WORK_OBJECT + bits * bits // _FRACTION_BITS_PER_US)
    result = fractions.Fraction(*parts)
    if result.denominator != parts[1]:
        raise DecodeError("a Fraction that is not reduced")
    return result


def _uuid(dec: Decoder) -> uuid.UUID:
    dec.charge(0, 2 * WORK_SMALL)
    pos = dec.take(16)
    return uuid.UUID(bytes=dec.data[pos : pos + 16])


def _path(dec: Decoder) -> pathlib.PurePosixPath:
    dec.charge(0, WORK_OBJECT)
    return pathlib.PurePosixPath(dec.text())


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


def _handle(dec: Decoder) -> Handle:
    dec.charge(0, WORK_OBJECT)
    number, session = _integer(dec), _integer(dec)
    callable_ = dec.flag()
    return Handle(number, _name(dec), callable_, session)


def _record(dec: Decoder) -> Record:
    type_name = _name(dec)
    is_tuple, has_methods = dec.flag(), dec.flag()
    handle = dec.value()
    names = dec.sequence()
    if not all(type(name) is str and name.isidentifier() for name in names):
        raise DecodeError("a field whose name is no identifier")
    dec.charge(len(names), WORK_OBJECT)
    check_hashes(names)
    fields = dict(zip(names, dec.sequence(), strict=True))
    if len(fields) != len(names) or type(handle) not in (type(None), Handle):
        raise DecodeError("a record that makes no sense")
    if has_methods and handle is None:
        raise DecodeError("a record with methods, but no object to call them on")
    return Record(type_name, fields, is_tuple, handle, has_methods)


def _kept(dec: Decoder) -> KeptDict | KeptList:
    if dec.u8() != Tag.HANDLE:
        raise DecodeError("a kept container without a handle")
    handle, items = _handle(dec), dec.value()
    if type(items) is dict:
        dec.charge(2 * len(items))
        return KeptDict(items, handle)
    if type(items) is list:
        dec.charge(len(items))
        return KeptList(items, handle)
    raise DecodeError("a kept container that is neither dict nor list")


def _file_tree(dec: Decoder) -> FileTree:
    size = dec.u32()
    if 8 * size > dec.end - dec.pos:
        raise DecodeError("more files than bytes")
    dec.charge(2 * size)
    files = [(dec.text(), dec.blob()) for _ in range(size)]
    check_hashes([path for path, _ in files])
    tree = dict(files)
    if len(tree) != size:
        raise DecodeError("a file twice")
    return FileTree(tree)


def _recipe(dec: Decoder) -> Recipe:
    kind, params = dec.text(), dec.value()
    if type(params) is not dict or not all(type(name) is str for name in params):
        raise DecodeError("a recipe without parameters")
    return Recipe(kind, params)


_PYTHON: Final[dict[int, Read]] = {
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
    Tag.DATE: _date,
    Tag.TIME: _time,
    Tag.TIMEDELTA: _timedelta,
    Tag.TIMEZONE: _timezone,
    Tag.DECIMAL: _decimal,
    Tag.FRACTION: _fraction,
    Tag.UUID: _uuid,
    Tag.PATH: _path,
    Tag.TYPE: _type,
    Tag.HANDLE: _handle,
    Tag.RECORD: _record,
    Tag.FILE_TREE: _file_tree,
    Tag.STREAM: lambda dec: Stream(_integer(dec)),
    Tag.RECIPE: _recipe,
    Tag.KEPT: _kept,
}


def register() -> None:
    """Add Python's types to the decoder's table."""
    for tag, read in _PYTHON.items():
        READERS[tag] = read
