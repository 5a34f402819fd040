"""What both directions of the codec share: errors, tags and the allow-lists.

Everything that a payload names (a dtype, a zone, a frequency, a type) is looked up in a list
here. Nothing that it names is ever imported or evaluated.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

VERSION: Final = 1
MAX_DEPTH: Final = 64
MAX_NAME: Final = 80
MAX_INT_BYTES: Final = 1 << 20
# A fraction is reduced on construction, which takes quadratic time.
MAX_FRACTION_BYTES: Final = 1 << 12
MAX_DECIMAL_CHARS: Final = 1 << 16
# numpy allocates one item even for an empty array.
MAX_EMPTY_ITEMSIZE: Final = 1 << 16
MAX_NDIM: Final = 32
# Checking a calendar frequency costs microseconds a row; a century of business days fits.
MAX_CALENDAR_ROWS: Final = 100_000


class CodecError(Exception):
    """Base of the codec's errors."""


class EncodeError(CodecError):
    """The value holds something that is not data, or is nested too deep."""


class EncodeTooLargeError(EncodeError):
    """The value would take more bytes than the limit."""


class DecodeError(CodecError):
    """The bytes are no payload of this codec."""


class NotDataError(CodecError):
    """Internal: this object cannot be carried; its nearest container decides what to do."""


class Tag:
    """The first byte of every value."""

    NONE: Final = 0
    TRUE: Final = 1
    FALSE: Final = 2
    INT: Final = 3
    BIGINT: Final = 4
    FLOAT: Final = 5
    COMPLEX: Final = 6
    STR: Final = 7
    BYTES: Final = 8
    BYTEARRAY: Final = 9
    LIST: Final = 10
    TUPLE: Final = 11
    SET: Final = 12
    FROZENSET: Final = 13
    DICT: Final = 14
    RANGE: Final = 15
    SLICE: Final = 16
    ELLIPSIS: Final = 17
    DATETIME: Final = 18
    DATE: Final = 19
    TIME: Final = 20
    TIMEDELTA: Final = 21
    TIMEZONE: Final = 22
    DECIMAL: Final = 23
    FRACTION: Final = 24
    UUID: Final = 25
    PATH: Final = 26
    TYPE: Final = 27
    HANDLE: Final = 28
    RECORD: Final = 29
    FILE_TREE: Final = 30
    STREAM: Final = 31
    RECIPE: Final = 32
    NP_SCALAR: Final = 40
    NP_STR: Final = 41
    NP_BYTES: Final = 42
    NDARRAY: Final = 43
    NP_DTYPE: Final = 44
    PD_NA: Final = 50
    PD_NAT: Final = 51
    TIMESTAMP: Final = 52
    PD_TIMEDELTA: Final = 53
    PERIOD: Final = 54
    INTERVAL: Final = 55
    PD_DTYPE: Final = 56
    EXT_ARRAY: Final = 57
    INDEX: Final = 58
    RANGE_INDEX: Final = 59
    MULTI_INDEX: Final = 60
    SERIES: Final = 61
    FRAME: Final = 62


class Pack:
    """How the items of a sequence are written: one by one, or packed when all are alike."""

    ITEMS: Final = 0
    INT: Final = 1
    FLOAT: Final = 2
    STR: Final = 3
    BOOL: Final = 4


class Text:
    """How the strings of an array are written: lengths in code points, or in bytes of UTF-8."""

    POINTS: Final = 0
    BYTES: Final = 1


class Zone:
    """How a time zone is written."""

    NONE: Final = 0
    UTC: Final = 1
    FIXED: Final = 2
    NAMED_FIXED: Final = 3
    ZONEINFO: Final = 4


class Ext:
    """The kinds of pandas dtypes, and so of extension arrays."""

    MASKED: Final = 1
    STRING: Final = 2
    CATEGORY: Final = 3
    DATETIME: Final = 4
    NAIVE: Final = 5
    PERIOD: Final = 6
    INTERVAL: Final = 7
    SPARSE: Final = 8
    ARROW: Final = 9
    NUMPY: Final = 10


_NUMBER_DTYPES: Final = frozenset(
    "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 f12 f16 c8 c16 c24 c32".split()
)
_TEXT = re.compile(r"[US]([1-9][0-9]{0,9})")
_TIME = re.compile(r"[mM]8(\[([1-9][0-9]{0,5})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")
STRING_DTYPE: Final = "T"


@functools.lru_cache(maxsize=512)
def numpy_dtype(text: str) -> np.dtype[Any]:
    """Look up a numpy dtype by its ``dtype.str``.

    Raises:
        DecodeError: it is not one of the kinds that are carried.
    """
    if text == "|O":
        return np.dtype(object)
    if text == STRING_DTYPE:
        return np.dtypes.StringDType()
    order, body = text[:1], text[1:]
    known = body in _NUMBER_DTYPES or _TEXT.fullmatch(body) or _TIME.fullmatch(body)
    if order in ("<", ">", "|") and known:
        try:
            dtype = np.dtype(text)
        except (TypeError, ValueError):
            pass
        else:
            # A second spelling of the same dtype would make two payloads of one value.
            if dtype.str == text:
                return dtype
    raise DecodeError(f"no such dtype: {text[:40]!r}")


def numpy_dtype_text(dtype: np.dtype[Any]) -> str:
    """Name a numpy dtype for the wire.

    Raises:
        NotDataError: structured, sized zero, or not one of the kinds that are carried.
    """
    if dtype.kind in "biufcmMUSO" and type(dtype).__module__ == "numpy.dtypes":
        text = dtype.str
    elif dtype == np.dtypes.StringDType() and not hasattr(dtype, "na_object"):
        text = STRING_DTYPE
    else:
        raise NotDataError(f"the dtype {str(dtype)[:MAX_NAME]}")
    try:
        numpy_dtype(text)
    except DecodeError as error:
        raise NotDataError(str(error)) from None
    return text


# On x86 a long double has 10 bytes of value and 6 of whatever the memory held before.
LONG_DOUBLE_PADDED: Final = np.finfo(np.longdouble).nmant == 63 and np.dtype("g").itemsize == 16  # noqa: PLR2004 - the x87 format

_FREQ = re.compile(r"(-?[1-9][0-9]{0,8})?([A-Za-z]{1,4})(?:-([A-Z0-9]{1,5}))?")
_MONTHS: Final = frozenset("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split())
_DAYS: Final = frozenset("MON TUE WED THU FRI SAT SUN".split())
_NO_SUFFIX: Final = frozenset({None})
_SUFFIX_OF_OFFSET: Final[dict[str, frozenset[str | None]]] = {
    **dict.fromkeys("D h min s ms us ns B ME MS BME BMS".split(), _NO_SUFFIX),
    **dict.fromkeys("QE QS BQE BQS YE YS BYE BYS".split(), frozenset(_MONTHS)),
    "W": frozenset({*_DAYS, None}),
    "SME": frozenset(map(str, range(1, 28))),
    "SMS": frozenset(map(str, range(2, 28))),
    "WOM": frozenset(f"{week}{day}" for week in range(1, 5) for day in _DAYS),
    "LWOM": frozenset(_DAYS),
}
_SUFFIX_OF_PERIOD: Final[dict[str, frozenset[str | None]]] = {
    **dict.fromkeys("D h min s ms us ns M".split(), _NO_SUFFIX),
    **dict.fromkeys("Q Y".split(), frozenset(_MONTHS)),
    "W": frozenset(_DAYS),
}
TICKS: Final = {
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "min": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
UNITS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def _is_freq(text: str, known: dict[str, frozenset[str | None]]) -> bool:
    match = _FREQ.fullmatch(text)
    return bool(match) and match[3] in known.get(match[2], ()) if match else False


@functools.lru_cache(maxsize=512)
def offset(text: str) -> Any:  # noqa: ANN401 - pandas is untyped
    """Look up the date offset of an index.

    Raises:
        DecodeError: not one of the fixed or calendar frequencies that are carried.
    """
    if not _is_freq(text, _SUFFIX_OF_OFFSET):
        raise DecodeError(f"no such frequency: {text[:40]!r}")
    return pd.tseries.frequencies.to_offset(text)


@functools.lru_cache(maxsize=512)
def tick_nanos(text: str) -> int | None:
    """Nanoseconds of a frequency of fixed length (a day counts as 24 h), else None."""
    match = _FREQ.fullmatch(text)
    unit = TICKS.get(match[2]) if match else None
    return None if unit is None or match is None else int(match[1] or 1) * unit


@functools.lru_cache(maxsize=512)
def period_dtype(text: str) -> Any:  # noqa: ANN401 - pandas is untyped
    """Look up a period dtype by its frequency string.

    Raises:
        DecodeError: not one of the frequencies that are carried, or not positive.
    """
    if text.startswith("-") or not _is_freq(text, _SUFFIX_OF_PERIOD):
        raise DecodeError(f"no such period: {text[:40]!r}")
    return pd.PeriodDtype(text)


@functools.cache
def _zone_keys() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(key: str) -> zoneinfo.ZoneInfo:
    """Look up a time zone that is installed; the key never becomes a path or a module.

    Raises:
        DecodeError: there is no such zone.
    """
    if key not in _zone_keys():
        raise DecodeError(f"no such time zone: {key[:40]!r}")
    return zoneinfo.ZoneInfo(key)


def is_zone_key(key: object) -> bool:
    """Say whether `key` names an installed time zone."""
    return type(key) is str and key in _zone_keys()


_CLASSES: Final[tuple[type, ...]] = (
    int, float, str, bool, complex, bytes, bytearray, list, dict, tuple, set, frozenset, object,
    range, slice, type(None),
    dt.datetime, dt.date, dt.time, dt.timedelta, dt.timezone,
    np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64,
    np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128,
    np.clongdouble, np.datetime64, np.timedelta64, np.str_, np.bytes_, np.object_,
)  # fmt: skip
TYPE_NAMES: Final[dict[type, str]] = {
    cls: f"{'numpy.' if cls.__module__ == 'numpy' else ''}{cls.__name__}" for cls in _CLASSES
}
TYPES: Final[dict[str, type]] = {name: cls for cls, name in TYPE_NAMES.items()}

MASKED_DTYPES: Final[dict[str, Any]] = {
    dtype.name: dtype
    for dtype in (
        pd.BooleanDtype(),
        *(getattr(pd, f"{kind}{bits}Dtype")() for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)),
        pd.Float32Dtype(),
        pd.Float64Dtype(),
    )
}  # fmt: skip
STRING_DTYPES: Final = tuple(
    pd.StringDtype(storage, na_value=missing)
    for missing in (np.nan, pd.NA)
    for storage in ("python", "pyarrow")
)
CLOSED: Final = ("left", "right", "both", "neither")

# Arrow types whose values are the bytes of one numpy dtype ("bool" apart, which Arrow packs).
ARROW_PLAIN: Final[dict[str, tuple[Any, str]]] = {
    "bool": (pa.bool_(), "|b1"),
    "int8": (pa.int8(), "|i1"),
    "int16": (pa.int16(), "<i2"),
    "int32": (pa.int32(), "<i4"),
    "int64": (pa.int64(), "<i8"),
    "uint8": (pa.uint8(), "|u1"),
    "uint16": (pa.uint16(), "<u2"),
    "uint32": (pa.uint32(), "<u4"),
    "uint64": (pa.uint64(), "<u8"),
    "float": (pa.float32(), "<f4"),
    "double": (pa.float64(), "<f8"),
    "date32[day]": (pa.date32(), "<i4"),
    **{f"duration[{unit}]": (pa.duration(unit), "<i8") for unit in UNITS},
    **{f"timestamp[{unit}]": (pa.timestamp(unit), "<i8") for unit in UNITS},
}
ARROW_TEXT: Final[dict[str, Any]] = {"string": pa.string(), "large_string": pa.large_string()}
_ARROW_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=([A-Za-z0-9_+/-]{1,60})\]")


@functools.lru_cache(maxsize=128)
def arrow_type(text: str) -> tuple[Any, str | None]:
    """Look up a primitive Arrow type: itself, and the numpy dtype of its values (None for text).

    Raises:
        DecodeError: not one of the types that are carried.
    """
    if text in ARROW_TEXT:
        return ARROW_TEXT[text], None
    if text in ARROW_PLAIN:
        return ARROW_PLAIN[text]
    match = _ARROW_ZONED.fullmatch(text)
    if match and is_zone_key(match[2]):
        return pa.timestamp(match[1], match[2]), "<i8"
    raise DecodeError(f"no such Arrow type: {text[:40]!r}")
