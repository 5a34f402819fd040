"""The allow-lists of the codec: dtypes, zones, frequencies, types.

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
import pandas  # noqa: ICN001 - the name pd is taken below
import pyarrow as pa

from grader.wire._tags import MAX_NAME, DecodeError, NotDataError

PandasObject = Any
"""A pandas or pyarrow object, in signatures."""
pd: Final[Any] = pandas  # its stubs know nothing of the fast paths that the codec takes

_NUMBER_DTYPES: Final = frozenset({
    "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "f12", "f16",
    "c8", "c16", "c24", "c32",
})  # fmt: skip
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
_MONTHS: Final = frozenset({
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
})  # fmt: skip
_DAYS: Final = frozenset(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"])
_NO_SUFFIX: Final = frozenset({None})
_SUFFIX_OF_OFFSET: Final[dict[str, frozenset[str | None]]] = {
    **dict.fromkeys(
        ["D", "h", "min", "s", "ms", "us", "ns", "B", "ME", "MS", "BME", "BMS"], _NO_SUFFIX
    ),
    **dict.fromkeys(["QE", "QS", "BQE", "BQS", "YE", "YS", "BYE", "BYS"], frozenset(_MONTHS)),
    "W": frozenset({*_DAYS, None}),
    "SME": frozenset(map(str, range(1, 28))),
    "SMS": frozenset(map(str, range(2, 28))),
    "WOM": frozenset(f"{week}{day}" for week in range(1, 5) for day in _DAYS),
    "LWOM": frozenset(_DAYS),
}
_SUFFIX_OF_PERIOD: Final[dict[str, frozenset[str | None]]] = {
    **dict.fromkeys(["D", "h", "min", "s", "ms", "us", "ns", "M"], _NO_SUFFIX),
    **dict.fromkeys(["Q", "Y"], frozenset(_MONTHS)),
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
def offset(text: str) -> PandasObject:
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
def period_dtype(text: str) -> PandasObject:
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


def find_zone(key: str) -> zoneinfo.ZoneInfo:
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
        *(getattr(pd, f"Int{bits}Dtype")() for bits in (8, 16, 32, 64)),
        *(getattr(pd, f"UInt{bits}Dtype")() for bits in (8, 16, 32, 64)),
        pd.Float32Dtype(),
        pd.Float64Dtype(),
    )
}  # fmt: skip
STRING_DTYPES: Final = tuple(
    pd.StringDtype(storage, na_value=missing)
    for missing in (np.nan, pd.NA)
    for storage in ("python", "pyarrow")
)
PLAIN_DTYPES: Final = (
    "|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f4", "<f8",
    *(f"<{kind}8[{unit}]" for kind in "mM" for unit in UNITS),
)  # fmt: skip
"""The usual dtypes of columns, which both sides look up without parsing."""
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
