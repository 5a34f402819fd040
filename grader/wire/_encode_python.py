"""Python's own types to bytes: `register` adds them to the encoder's table."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import pathlib
import struct
import uuid
import zoneinfo
from collections import OrderedDict
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from grader.wire._encode import WRITERS, Encoder, Write, type_name
from grader.wire._tags import (
    MAX_DECIMAL_CHARS,
    MAX_FRACTION_BYTES,
    MAX_INT_BYTES,
    MAX_NAME,
    EncodeTooLargeError,
    NotDataError,
    Tag,
    Zone,
)
from grader.wire._types import TYPE_NAMES, is_zone_key
from grader.wire.values import FileTree, Handle, KeptDict, KeptList, Recipe, Record, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

_I64: Final = struct.Struct("<q").pack
_F64: Final = struct.Struct("<d").pack
_INT_RANGE: Final = (-(1 << 63), 1 << 63)


def _tag(tag: int) -> Write:
    return lambda enc, _obj: enc.out.append(tag)


def _bool(enc: Encoder, obj: bool) -> None:
    enc.out.append(Tag.TRUE if obj else Tag.FALSE)


def _int(enc: Encoder, obj: int) -> None:
    obj = int.__index__(obj)
    if _INT_RANGE[0] <= obj < _INT_RANGE[1]:
        enc.out.append(Tag.INT)
        enc.out += _I64(obj)
        return
    size = obj.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise EncodeTooLargeError(f"an int of more than {MAX_INT_BYTES} bytes")
    enc.out.append(Tag.BIGINT)
    enc.blob(obj.to_bytes(size, "little", signed=True))


def _float(enc: Encoder, obj: float) -> None:
    enc.out.append(Tag.FLOAT)
    enc.out += _F64(obj)


def _complex(enc: Encoder, obj: complex) -> None:
    enc.out.append(Tag.COMPLEX)
    enc.out += _F64(obj.real) + _F64(obj.imag)


def _str(enc: Encoder, obj: str) -> None:
    enc.out.append(Tag.STR)
    enc.text(obj)


def _blob(tag: int) -> Write:
    def write(enc: Encoder, obj: bytes | bytearray) -> None:
        enc.out.append(tag)
        enc.blob(memoryview(obj))

    return write


def _list(enc: Encoder, obj: list[Any]) -> None:
    enc.out.append(Tag.LIST)
    enc.sequence(obj if type(obj) is list else list(list.__iter__(obj)))


def _tuple(enc: Encoder, obj: tuple[Any, ...]) -> None:
    enc.out.append(Tag.TUPLE)
    enc.sequence(obj if type(obj) is tuple else tuple(tuple.__iter__(obj)))


def _set(enc: Encoder, obj: set[Any]) -> None:
    enc.out.append(Tag.SET)
    enc.sequence(list(set.__iter__(obj)))


def _frozenset(enc: Encoder, obj: frozenset[Any]) -> None:
    enc.out.append(Tag.FROZENSET)
    enc.sequence(list(frozenset.__iter__(obj)))


def _dict(enc: Encoder, obj: dict[Any, Any]) -> None:
    enc.out.append(Tag.DICT)
    enc.sequence(list(dict.keys(obj)))
    enc.sequence(list(dict.values(obj)))


def _ordered_dict(enc: Encoder, obj: OrderedDict[Any, Any]) -> None:
    # Its order is its own: the base class still has the order of insertion.
    _dict(enc, dict(OrderedDict.items(obj)))


def _kept(write: Write) -> Write:
    """Write a container of another class as its items, and as the object that it is."""

    def kept(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - an instance of any such class
        if (handle := _origin(enc, obj)) is not None:
            enc.out.append(Tag.KEPT)
            _handle(enc, handle)
        write(enc, obj)

    return kept


def _back(write: Write) -> Write:
    def back(enc: Encoder, obj: KeptDict | KeptList) -> None:
        if enc.handle is not None:
            return _handle(enc, enc.handle(obj))  # to where it came from
        return write(enc, obj)

    return back


def _range(enc: Encoder, obj: range) -> None:
    enc.out.append(Tag.RANGE)
    for number in (obj.start, obj.stop, obj.step):
        _int(enc, number)


def _slice(enc: Encoder, obj: slice) -> None:
    enc.out.append(Tag.SLICE)
    for bound in (obj.start, obj.stop, obj.step):
        enc.part(bound)


def write_zone(enc: Encoder, tz: object) -> None:
    """Write a tzinfo or None.

    Raises:
        NotDataError: it is neither UTC, a fixed offset nor an installed zone.
    """
    if tz is None:
        enc.out.append(Zone.NONE)
    elif tz is dt.UTC:
        enc.out.append(Zone.UTC)
    elif type(tz) is dt.timezone:
        # The arguments, since a name equal to the default one still makes the same zone.
        offset, *name = tz.__getinitargs__()  # type: ignore[attr-defined]  # not in typeshed
        enc.out.append(Zone.NAMED_FIXED if name else Zone.FIXED)
        _timedelta(enc, offset)
        if name:
            enc.text(name[0])
    elif type(tz) is zoneinfo.ZoneInfo and is_zone_key(tz.key):
        enc.out.append(Zone.ZONEINFO)
        enc.short(tz.key)
    else:
        raise NotDataError(f"the time zone {type_name(type(tz))}")


def _timezone(enc: Encoder, obj: dt.tzinfo) -> None:
    enc.out.append(Tag.TIMEZONE)
    write_zone(enc, obj)


def _datetime(enc: Encoder, obj: dt.datetime) -> None:
    enc.out.append(Tag.DATETIME)
    clock = (obj.hour, obj.minute, obj.second, obj.microsecond, obj.fold)
    enc.out += struct.pack("<HBBBBBIB", obj.year, obj.month, obj.day, *clock)
    write_zone(enc, obj.tzinfo)


def _date(enc: Encoder, obj: dt.date) -> None:
    enc.out.append(Tag.DATE)
    enc.out += struct.pack("<HBB", obj.year, obj.month, obj.day)


def _time(enc: Encoder, obj: dt.time) -> None:
    enc.out.append(Tag.TIME)
    enc.out += struct.pack("<BBBIB", obj.hour, obj.minute, obj.second, obj.microsecond, obj.fold)
    write_zone(enc, obj.tzinfo)


def _timedelta(enc: Encoder, obj: dt.timedelta) -> None:
    enc.out.append(Tag.TIMEDELTA)
    enc.out += struct.pack("<iII", obj.days, obj.seconds, obj.microseconds)


def _decimal(enc: Encoder, obj: decimal.Decimal) -> None:
    text = str(obj)
    if len(text) > MAX_DECIMAL_CHARS:
        raise EncodeTooLargeError(f"a Decimal of more than {MAX_DECIMAL_CHARS} characters")
    enc.out.append(Tag.DECIMAL)
    enc.text(text)


def _fraction(enc: Encoder, obj: fractions.Fraction) -> None:
    if max(obj.numerator.bit_length(), obj.denominator.bit_length()) >= 8 * MAX_FRACTION_BYTES:
        raise EncodeTooLargeError(f"a Fraction of more than {MAX_FRACTION_BYTES} bytes")
    enc.out.append(Tag.FRACTION)
    _int(enc, obj.numerator)
    _int(enc, obj.denominator)


def _uuid(enc: Encoder, obj: uuid.UUID) -> None:
    enc.out.append(Tag.UUID)
    enc.out += obj.bytes


def _path(enc: Encoder, obj: pathlib.PurePath) -> None:
    enc.out.append(Tag.PATH)
    enc.text(str(obj))


def _type(enc: Encoder, obj: type) -> None:
    if obj not in TYPE_NAMES:
        raise NotDataError(f"the class {type_name(obj)}")
    enc.out.append(Tag.TYPE)
    enc.short(TYPE_NAMES[obj])


def _handle(enc: Encoder, obj: Handle) -> None:
    enc.out.append(Tag.HANDLE)
    _int(enc, obj.id)
    _int(enc, obj.session)
    enc.out.append(obj.callable)
    enc.text(obj.type_name[:MAX_NAME])


def _record(enc: Encoder, obj: Record) -> None:
    if obj.handle is not None and enc.handle is not None:
        return _handle(enc, enc.handle(obj))  # back to where it came from
    return _write_record(enc, obj)


def _write_record(enc: Encoder, obj: Record) -> None:
    enc.out.append(Tag.RECORD)
    enc.text(obj.type_name[:MAX_NAME])
    enc.out.append(obj.is_tuple)
    enc.out.append(obj.has_methods)
    enc.part(obj.handle)
    enc.sequence(list(obj.fields))
    enc.sequence(list(obj.fields.values()))


def _file_tree(enc: Encoder, obj: FileTree) -> None:
    enc.out.append(Tag.FILE_TREE)
    enc.count(len(obj.files))
    for path, content in obj.files.items():
        enc.text(path)
        enc.blob(content)


def _stream(enc: Encoder, obj: Stream) -> None:
    enc.out.append(Tag.STREAM)
    _int(enc, obj.id)


def _recipe(enc: Encoder, obj: Recipe) -> None:
    enc.out.append(Tag.RECIPE)
    enc.text(obj.kind)
    enc.part(obj.params)


_METHODS = (FunctionType, classmethod, staticmethod, property)


def _dataclass(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - an instance of any dataclass
    cls = type(obj)
    if cls not in enc.classes:
        enc.classes[cls] = _parts(cls)
    names, methods = enc.classes[cls]
    try:
        fields = {name: getattr(obj, name) for name in names}
    except AttributeError as error:
        raise NotDataError(f"a field is missing ({str(error)[:MAX_NAME]})") from None
    handle = _origin(enc, obj, always=methods)
    has_methods = methods and handle is not None
    record = Record(type_name(cls), fields, handle=handle, has_methods=has_methods)
    _write_record(enc, record)


def _parts(cls: type) -> tuple[tuple[str, ...], bool]:
    """The fields of a dataclass, and whether it has public methods.

    With methods it is an object as much as a record, and the other side may call them.
    """
    names = tuple(field.name for field in dataclasses.fields(cls))
    members = (
        member
        for base in cls.__mro__
        for name, member in vars(base).items()
        if not name.startswith("_")
    )
    return names, any(isinstance(member, _METHODS) for member in members)


def _origin(enc: Encoder, obj: object, *, always: bool = False) -> Handle | None:
    return enc.handle(obj) if enc.handle is not None and (always or enc.origins) else None


def _namedtuple(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - an instance of any named tuple
    fields = dict(zip(type(obj)._fields, tuple.__iter__(obj), strict=False))
    if len(fields) != tuple.__len__(obj) or not all(map(_is_field, fields)):
        return _tuple(enc, obj)
    record = Record(type_name(type(obj)), fields, is_tuple=True, handle=_origin(enc, obj))
    return _write_record(enc, record)


def _enum(enc: Encoder, obj: enum.Enum) -> None:
    fields = {"name": obj.name, "value": obj.value}
    _write_record(enc, Record(type_name(type(obj)), fields, is_tuple=False))


def _is_field(name: object) -> bool:
    return type(name) is str and name.isidentifier()


def _not_data(_enc: Encoder, obj: object) -> None:
    raise NotDataError(f"an instance of {type_name(type(obj))}")


_PYTHON: Final[dict[type, Write]] = {
    type(None): _tag(Tag.NONE),
    type(...): _tag(Tag.ELLIPSIS),
    bool: _bool,
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _blob(Tag.BYTES),
    bytearray: _blob(Tag.BYTEARRAY),
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
    dict: _dict,
    OrderedDict: _ordered_dict,
    range: _range,
    slice: _slice,
    dt.datetime: _datetime,
    dt.date: _date,
    dt.time: _time,
    dt.timedelta: _timedelta,
    dt.timezone: _timezone,
    zoneinfo.ZoneInfo: _timezone,
    decimal.Decimal: _decimal,
    fractions.Fraction: _fraction,
    uuid.UUID: _uuid,
    type: _type,
    Handle: _handle,
    Record: _record,
    FileTree: _file_tree,
    Stream: _stream,
    Recipe: _recipe,
    KeptDict: _back(_dict),
    KeptList: _back(_list),
}

# A subclass may override anything, so it crosses as the plain data that its base class sees.
_BASES: Final[tuple[type, ...]] = (
    int, float, complex, str, bytes, bytearray, list, set, frozenset, dict,
)  # fmt: skip


def _writer_for(cls: type) -> Write:
    mro = cls.__mro__
    if tuple in mro:
        fields = getattr(cls, "_fields", None)
        return _namedtuple if type(fields) is tuple and fields else _tuple
    for base in _BASES:
        if base in mro:
            return _SUBCLASS.get(base, _PYTHON[base])
    if pathlib.PurePath in mro:
        return _path
    if enum.Enum in mro:
        return _enum
    if "__dataclass_fields__" in vars(cls) or dataclasses.is_dataclass(cls):
        return _dataclass
    return _not_data


def _base(cls: type, convert: Callable[[Any], Any]) -> Write:
    write = _PYTHON[cls]
    return lambda enc, obj: write(enc, convert(obj))


_SUBCLASS: Final[dict[type, Write]] = {
    dict: _kept(_dict),
    list: _kept(_list),
    float: _base(float, float.__pos__),
    complex: _base(complex, complex.__pos__),
    str: _base(str, str.__str__),
    bytes: _base(bytes, lambda obj: bytes(memoryview(obj))),
    bytearray: _base(bytearray, lambda obj: bytearray(memoryview(obj))),
}


def register() -> None:
    """Add Python's types to the encoder's table."""
    WRITERS.update(_PYTHON)
    WRITERS.other = _writer_for
