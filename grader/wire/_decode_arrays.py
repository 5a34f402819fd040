"""Bytes to extension arrays and dtypes.

pandas trusts its own constructors' fast paths, so what they take is checked here first: shapes,
codes, offsets, masks. Arrays are copied out of the payload, so that they are aligned and
writable.
"""

from __future__ import annotations

import functools
import itertools
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from grader.wire._decode import (
    COST_ARRAY,
    COST_PANDAS,
    READERS,
    WORK_ARRAY,
    WORK_PANDAS,
    WORK_SMALL,
    Decoder,
    Read,
    check_hashes,
    need,
)
from grader.wire._decode_numpy import block, raw, vector
from grader.wire._decode_python import read_zone
from grader.wire._encode_arrays import kind_of
from grader.wire._tags import DecodeError, Ext, Tag, Text
from grader.wire._types import (
    CLOSED,
    MASKED_DTYPES,
    STRING_DTYPES,
    UNITS,
    PandasObject,
    arrow_type,
    numpy_dtype,
    pd,
    period_dtype,
)

_U32: Final = struct.Struct("<I").unpack_from
_TEXT_HEAD: Final = struct.Struct("<BQ").unpack_from
_LARGE: Final = pa.large_string()
_MAX_SHORT: Final = 1 << 10
_MOST_GOOD: Final = 256
_GOOD_CATEGORIES: Final[set[bytes]] = set()


def _scalar(dec: Decoder) -> np.generic:
    dec.charge(0, 2 * WORK_SMALL)
    dtype = numpy_dtype(dec.short())
    need(dtype.kind in "biufcmM" and dtype.isnative, "a scalar of a kind that has none")
    scalar: np.generic = raw(dec, dtype, 1)[0]
    return scalar


def _mask(dec: Decoder, size: int) -> npt.NDArray[np.bool_]:
    if dec.flag():
        return raw(dec, np.dtype(bool), size)
    need(size <= dec.max_items, "too many rows")
    dec.charge_cells(size)
    return np.zeros(size, bool)


def unit_of(dec: Decoder) -> str:
    unit = dec.short()
    need(unit in UNITS, "no such unit")
    return unit


def _dtype(dec: Decoder) -> tuple[int, Any]:
    """Read a pandas dtype: its kind and itself."""
    dec.charge(COST_ARRAY, WORK_ARRAY)
    kind = dec.u8()
    reader = _DTYPES.get(kind)
    if reader is None:
        raise DecodeError("no such kind of dtype")
    return kind, reader(dec)


def _masked_dtype(dec: Decoder) -> PandasObject:
    name = dec.short()
    need(name in MASKED_DTYPES, "no such nullable dtype")
    return MASKED_DTYPES[name]


def _string_dtype(dec: Decoder) -> PandasObject:
    return STRING_DTYPES[dec.u8()]


def _category_dtype(dec: Decoder) -> PandasObject:
    ordered = dec.flag()
    start = dec.pos
    categories = dec.value()
    data = dec.data[start : dec.pos] if dec.pos - start <= _MAX_SHORT else b""
    if data in _GOOD_CATEGORIES:
        return pd.CategoricalDtype._from_fastpath(categories, ordered)  # noqa: SLF001 - see below
    if categories is None:
        return pd.CategoricalDtype(None, ordered)
    need(is_index(categories), "categories that are no index")
    need(not isinstance(categories, pd.MultiIndex), "categories of tuples of levels")
    check_unique(categories)
    values = categories._values  # noqa: SLF001 - .array wraps plain arrays
    arrow = type(values) is pd.arrays.ArrowStringArray
    missing = values._pa_array.null_count if arrow else categories.hasnans  # noqa: SLF001 - speed
    need(not missing, "a category that is missing")
    if data:
        if len(_GOOD_CATEGORIES) >= _MOST_GOOD:
            _GOOD_CATEGORIES.clear()
        _GOOD_CATEGORIES.add(data)
    # The public constructor would check the same with a hash table that can be attacked.
    return pd.CategoricalDtype._from_fastpath(categories, ordered)  # noqa: SLF001 - see above


def _interval_dtype(dec: Decoder) -> PandasObject:
    closed = dec.short() or None
    need(closed is None or closed in CLOSED, "an interval closed in no known way")
    subtype = dec.value()
    allowed = np.dtype | pd.DatetimeTZDtype | None
    need(subtype is None or isinstance(subtype, allowed), "intervals of no known dtype")
    return pd.IntervalDtype(subtype, closed)


def _sparse_dtype(dec: Decoder) -> PandasObject:
    subtype = numpy_dtype(dec.short())
    need(subtype.kind in "biufc", "a sparse dtype of no number")
    fill = dec.value()
    need(type(fill) in (bool, int, float, complex) or isinstance(fill, np.generic), "a bad fill")
    return pd.SparseDtype(subtype, fill)


_EMPTY_TEXT: Final = tuple(
    pd.arrays.ArrowStringArray(pa.array([], _LARGE), dtype=dtype)
    for dtype in STRING_DTYPES
    if dtype.storage == "pyarrow"
)
_DTYPES: Final[dict[int, Read]] = {
    Ext.MASKED: _masked_dtype,
    Ext.STRING: _string_dtype,
    Ext.CATEGORY: _category_dtype,
    Ext.DATETIME: lambda dec: pd.DatetimeTZDtype(unit_of(dec), read_zone(dec)),
    Ext.PERIOD: lambda dec: period_dtype(dec.short()),
    Ext.INTERVAL: _interval_dtype,
    Ext.SPARSE: _sparse_dtype,
    Ext.ARROW: lambda dec: pd.ArrowDtype(arrow_type(dec.short())[0]),
}


def check_unique(index: PandasObject) -> None:
    """Refuse an index with a label twice, without hash tables that can be attacked.

    Raises:
        DecodeError: it has one.
    """
    if isinstance(index, pd.RangeIndex) or len(index) < 2:  # noqa: PLR2004 - one is unique
        return
    values = index._values  # noqa: SLF001 - .array wraps plain arrays
    if type(values) is pd.arrays.ArrowStringArray:
        labels = values._pa_array.to_pylist()  # noqa: SLF001 - three times as fast as list()
        check_hashes(labels)
        need(len(set(labels)) == len(labels), "a label twice")
        return
    if type(values) is not np.ndarray:
        values = getattr(values, "_ndarray", values)
    if type(values) is np.ndarray and values.dtype.kind in "biufcmM":
        values = np.sort(values.view("i8") if values.dtype.kind in "mM" else values)
        need(not (values[1:] == values[:-1]).any(), "a label twice")
        return
    labels = list(index)
    check_hashes(labels)
    need(len(set(labels)) == len(labels), "a label twice")


def is_index(value: object) -> bool:
    return isinstance(value, pd.Index)


# --- extension arrays ------------------------------------------------------------------------


def extension(dec: Decoder) -> PandasObject:
    dec.charge(COST_ARRAY, WORK_ARRAY)
    kind = dec.data[dec.pos] if dec.pos < dec.end else 0
    if kind == Ext.NUMPY:
        dec.pos += 1
        values = block(dec)
        need(values.ndim > 0, "an array of no dimension")
        return pd.arrays.NumpyExtensionArray(values)
    if kind == Ext.NAIVE:
        dec.pos += 1
        return _naive(block(dec))
    kind, dtype = _dtype(dec)
    return _ARRAYS[kind](dec, dtype)


def _naive(values: npt.NDArray[PandasObject]) -> PandasObject:
    dtype = values.dtype
    unit, multiple = np.datetime_data(dtype)
    need(unit in UNITS and multiple == 1 and dtype.isnative, "a unit that pandas does not have")
    need(values.ndim > 0, "an array of no dimension")
    cls = pd.arrays.DatetimeArray if dtype.kind == "M" else pd.arrays.TimedeltaArray
    return cls._simple_new(values, dtype=dtype)


def _masked(dec: Decoder, dtype: PandasObject) -> PandasObject:
    data = vector(dec, dtype.numpy_dtype.str)
    return dtype.construct_array_type()(data, _mask(dec, len(data)))


def _string(dec: Decoder, dtype: PandasObject) -> PandasObject:
    if dtype.storage == "pyarrow":
        return as_text(_arrow_text(dec, _LARGE), missing=dtype.na_value)
    layout, size, mask = _text_head(dec)
    need(layout == Text.POINTS, "no such layout of text")
    items = np.fromiter(_texts(dec, size, mask, dtype.na_value), object, size)
    # The constructor infers; these are strings and missing values by construction.
    return pd.arrays.StringArray._simple_new(items, dtype)  # noqa: SLF001 - see above


def as_text(labels: PandasObject, missing: object = np.nan) -> PandasObject:
    """Wrap an Arrow array: what the constructor comes to, without its questions."""
    return _EMPTY_TEXT[missing is pd.NA]._from_pyarrow_array(labels)  # noqa: SLF001 - see above


def _text_head(dec: Decoder) -> tuple[int, int, npt.NDArray[np.bool_] | None]:
    layout, size = _TEXT_HEAD(dec.data, dec.take(9))
    need(4 * size <= dec.end - dec.pos, "more rows than bytes")
    dec.charge(size)
    return layout, size, raw(dec, np.dtype(bool), size) if dec.flag() else None


def _texts(
    dec: Decoder, size: int, mask: npt.NDArray[np.bool_] | None, missing: object
) -> list[Any]:
    need(4 * size <= dec.end - dec.pos, "more rows than bytes")
    items = dec.strings(size)
    if mask is None:
        return items
    need(not any(itertools.compress(items, mask)), "text under a mask")
    return [missing if hidden else item for item, hidden in zip(items, mask, strict=True)]


def _arrow_text(dec: Decoder, kind: PandasObject) -> PandasObject:
    """Read strings into an Arrow array.

    Arrow believes its offsets, so they are made here from lengths that must add up, and each
    must fall between two characters of a text that is valid UTF-8.
    """
    start = dec.pos
    layout, size, mask = _text_head(dec)
    if layout == Text.POINTS:
        if mask is None and kind == _LARGE:
            # The labels of a frame's columns come again and again, and Arrow's arrays never change.
            end = dec.take(4 * size + 4)
            end = dec.take(_U32(dec.data, end + 4 * size)[0])
            if dec.pos - start <= _MAX_SHORT:
                return _short_text(dec.data[start : dec.pos])
            dec.pos = start + 10
        return pa.array(_texts(dec, size, mask, None), kind)
    need(layout == Text.BYTES, "no such layout of text")
    pos = dec.take(4 * size)
    lengths = np.frombuffer(dec.data, "<u4", size, pos)
    text = dec.blob()
    offsets = np.empty(size + 1, np.int64)
    offsets[0] = 0
    offsets[1:] = lengths
    offsets.cumsum(out=offsets)  # in place: faster than with a change of dtype on the way
    need(offsets[-1] == len(text), "lengths of strings that do not add up")
    if not text.isascii():
        text.decode("utf-8")
        starts = offsets[offsets < len(text)]
        lead = np.frombuffer(text, np.uint8)[starts]
        need(((lead & 0xC0) != 0x80).all(), "a string that ends within a character")  # noqa: PLR2004 - UTF-8
    valid = None
    if mask is not None:
        need(not lengths[mask].any(), "text under a mask")
        valid = pa.py_buffer(np.packbits(~mask, bitorder="little"))
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(text)]
    result = pa.Array.from_buffers(_LARGE, size, buffers)
    return result if kind == _LARGE else result.cast(kind)


@functools.lru_cache(maxsize=256)
def _short_text(data: bytes) -> PandasObject:
    dec = Decoder(data, 1, len(data))
    _, size, mask = _text_head(dec)
    return pa.chunked_array([pa.array(_texts(dec, size, mask, None), _LARGE)])


def _category(dec: Decoder, dtype: PandasObject) -> PandasObject:
    codes = block(dec)
    need(dtype.categories is not None, "a categorical without categories")
    need(codes.ndim == 1 and codes.dtype.kind == "i", "category codes that are none")
    check_codes(codes, len(dtype.categories))
    return pd.Categorical._simple_new(codes, dtype)  # noqa: SLF001 - the codes are checked


def check_codes(codes: npt.NDArray[Any], size: int) -> None:
    need(not len(codes) or (codes.min() >= -1 and codes.max() < size), "a code out of range")


def _datetime(dec: Decoder, dtype: PandasObject) -> PandasObject:
    values = _stamps(dec).view(f"M8[{dtype.unit}]")
    return pd.arrays.DatetimeArray._simple_new(values, dtype=dtype)  # noqa: SLF001 - the constructor is deprecated


def _stamps(dec: Decoder) -> npt.NDArray[Any]:
    values = block(dec)
    need(values.dtype == np.int64 and values.dtype.isnative and values.ndim, "no time stamps")
    return values


def _intervals(dec: Decoder, dtype: PandasObject) -> PandasObject:
    left, right = dec.value(), dec.value()
    need(is_index(left) and is_index(right), "an interval's side that is no index")
    dec.charge(COST_PANDAS, WORK_PANDAS)
    result = pd.arrays.IntervalArray.from_arrays(left, right, dtype.closed)
    need(result.dtype == dtype, "intervals of another dtype than they say")
    return result


def _sparse(dec: Decoder, dtype: PandasObject) -> PandasObject:
    kind = dec.short()
    need(kind in ("integer", "block"), "no such sparse layout")
    dec.charge(COST_PANDAS, WORK_PANDAS)
    return pd.arrays.SparseArray(vector(dec, dtype.subtype.str), dtype=dtype, kind=kind)


def _arrow(dec: Decoder, dtype: PandasObject) -> PandasObject:
    dec.charge(COST_PANDAS, WORK_PANDAS)
    kind, text = dtype.pyarrow_dtype, arrow_type(str(dtype.pyarrow_dtype))[1]
    if text is None:
        return pd.arrays.ArrowExtensionArray(_arrow_text(dec, kind))
    data = vector(dec, text)
    values = pa.array(data, kind_of(text), mask=_mask(dec, len(data)), from_pandas=False)
    return pd.arrays.ArrowExtensionArray(values if values.type == kind else values.view(kind))


_ARRAYS: Final[dict[int, Any]] = {
    Ext.MASKED: _masked,
    Ext.STRING: _string,
    Ext.CATEGORY: _category,
    Ext.DATETIME: _datetime,
    Ext.PERIOD: lambda dec, dtype: pd.arrays.PeriodArray(_stamps(dec), dtype=dtype),
    Ext.INTERVAL: _intervals,
    Ext.SPARSE: _sparse,
    Ext.ARROW: _arrow,
}


def register() -> None:
    """Add arrays and dtypes to the decoder's table."""
    readers: dict[int, Read] = {
        Tag.NP_SCALAR: _scalar,
        Tag.NP_STR: lambda dec: np.str_(dec.text()),
        Tag.NP_BYTES: lambda dec: np.bytes_(dec.blob()),
        Tag.NDARRAY: block,
        Tag.NP_DTYPE: lambda dec: numpy_dtype(dec.short()),
        Tag.PD_DTYPE: lambda dec: _dtype(dec)[1],
        Tag.EXT_ARRAY: extension,
    }
    for tag, read in readers.items():
        READERS[tag] = read
