"""Bytes to numpy and pandas: `register` adds these tags to the decoder's table.

pandas trusts its own constructors' fast paths, so what they take is checked here first: shapes,
codes, offsets, masks, placements, the rows of every column. Arrays are copied out of the
payload, so that they are aligned and writable.
"""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandas.api.internals import create_dataframe_from_blocks

from grader.wire._decode import (
    COST_ARRAY,
    COST_PANDAS,
    READERS,
    Decoder,
    Read,
    check_hashes,
    read_zone,
)
from grader.wire._encode_arrays import kind_of
from grader.wire._types import (
    CLOSED,
    MASKED_DTYPES,
    MAX_CALENDAR_ROWS,
    MAX_EMPTY_ITEMSIZE,
    MAX_NDIM,
    STRING_DTYPE,
    STRING_DTYPES,
    UNITS,
    DecodeError,
    Ext,
    Tag,
    Text,
    arrow_type,
    numpy_dtype,
    offset,
    period_dtype,
    tick_nanos,
)

_MAX_CODE_POINT: Final = 0x10FFFF
_TEXT_HEAD: Final = struct.Struct("<BQ").unpack_from
_LARGE: Final = pa.large_string()
_NAT: Final = np.iinfo(np.int64).min


def need(condition: object, what: str) -> None:
    """Raise `DecodeError` with `what` unless the condition holds."""
    if not condition:
        raise DecodeError(what)


# --- numpy -----------------------------------------------------------------------------------


def _raw(dec: Decoder, dtype: np.dtype[Any], size: int) -> npt.NDArray[Any]:
    pos = dec.take(size * dtype.itemsize)
    if size == 0:
        need(dtype.itemsize <= MAX_EMPTY_ITEMSIZE, "an empty array of huge items")
        return np.empty(0, dtype)
    array = np.frombuffer(dec.data, dtype, size, pos).copy()
    kind = dtype.kind
    if kind == "b":
        strange = dec.data[pos : dec.pos].translate(None, b"\0\1")
        need(not strange, "a bool that is neither 0 nor 1")
    elif kind == "U":
        points = array.view(np.dtype("u4").newbyteorder(dtype.byteorder))
        need(points.max() <= _MAX_CODE_POINT, "a character that is none")
    return array


def block(dec: Decoder) -> npt.NDArray[Any]:
    """Read an array of any shape."""
    ndim = dec.u8()
    need(ndim <= MAX_NDIM, "too many dimensions")
    dec.charge(COST_ARRAY + ndim)
    pos = dec.take(8 * ndim)
    shape = struct.unpack_from(f"<{ndim}Q", dec.data, pos)
    text = dec.short()
    size = math.prod(shape)
    need(size or all(side <= dec.max_items for side in shape), "an empty array of huge shape")
    if text in ("|O", STRING_DTYPE):
        items = dec.sequence()
        need(len(items) == size, "an array whose items do not fill its shape")
        if text == "|O":
            return np.fromiter(items, object, size).reshape(shape)
        need(all(type(item) is str for item in items), "an array of text with something else")
        return np.array(items, np.dtypes.StringDType()).reshape(shape)
    dtype = numpy_dtype(text)
    return _raw(dec, dtype, size).reshape(shape)


def vector(dec: Decoder, dtype: str) -> npt.NDArray[Any]:
    """Read an array that must have one dimension and this dtype."""
    array = block(dec)
    need(array.ndim == 1 and array.dtype.str == dtype, f"a vector of {dtype} was due")
    return array


def _scalar(dec: Decoder) -> np.generic:
    dtype = numpy_dtype(dec.short())
    need(dtype.kind in "biufcmM" and dtype.isnative, "a scalar of a kind that has none")
    scalar: np.generic = _raw(dec, dtype, 1)[0]
    return scalar


def _mask(dec: Decoder, size: int) -> npt.NDArray[np.bool_]:
    if dec.flag():
        return _raw(dec, np.dtype(bool), size)
    need(size <= dec.max_items, "too many rows")
    return np.zeros(size, bool)


# --- scalars and dtypes of pandas ------------------------------------------------------------


def _unit(dec: Decoder) -> str:
    unit = dec.short()
    need(unit in UNITS, "no such unit")
    return unit


def _timestamp(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    unit, number, fold = _unit(dec), dec.i64(), dec.u8()
    tz = read_zone(dec)
    need(number != _NAT and fold <= 1, "a timestamp that is none")
    stamp = pd.Timestamp(np.datetime64(number, unit))
    if tz is not None:
        stamp = stamp.tz_localize("UTC").tz_convert(tz)
    elif fold:
        stamp = stamp.replace(fold=1)
    need(stamp.fold == fold, "a fold that the time zone does not have")
    return stamp


def _timedelta(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    unit, number = _unit(dec), dec.i64()
    need(number != _NAT, "a timedelta that is none")
    return pd.Timedelta(np.timedelta64(number, unit))


def _period(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    freq, ordinal = dec.short(), dec.i64()
    need(ordinal != _NAT, "a period that is none")
    return pd.Period(ordinal=ordinal, freq=period_dtype(freq)._freqstr)  # noqa: SLF001 - "M", not "ME"


def _interval(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    closed = dec.short()
    need(closed in CLOSED, "an interval closed in no known way")
    return pd.Interval(dec.value(), dec.value(), closed=closed)


def _dtype(dec: Decoder) -> tuple[int, Any]:
    """Read a pandas dtype: its kind and itself."""
    dec.charge(COST_ARRAY)
    kind = dec.u8()
    reader = _DTYPES.get(kind)
    if reader is None:
        raise DecodeError("no such kind of dtype")
    return kind, reader(dec)


def _masked_dtype(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    name = dec.short()
    need(name in MASKED_DTYPES, "no such nullable dtype")
    return MASKED_DTYPES[name]


def _string_dtype(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    return STRING_DTYPES[dec.u8()]


def _category_dtype(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    ordered = dec.flag()
    categories = dec.value()
    if categories is None:
        return pd.CategoricalDtype(None, ordered)
    need(_is_index(categories), "categories that are no index")
    need(not isinstance(categories, pd.MultiIndex), "categories of tuples of levels")
    check_unique(categories)
    values = categories._values  # noqa: SLF001 - .array wraps plain arrays
    arrow = type(values) is pd.arrays.ArrowStringArray
    missing = values._pa_array.null_count if arrow else categories.hasnans  # noqa: SLF001 - speed
    need(not missing, "a category that is missing")
    # The public constructor would check the same with a hash table that can be attacked.
    return pd.CategoricalDtype._from_fastpath(categories, ordered)  # noqa: SLF001 - see above


def _interval_dtype(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    closed = dec.short() or None
    need(closed is None or closed in CLOSED, "an interval closed in no known way")
    subtype = dec.value()
    allowed = np.dtype | pd.DatetimeTZDtype | None
    need(subtype is None or isinstance(subtype, allowed), "intervals of no known dtype")
    return pd.IntervalDtype(subtype, closed)


def _sparse_dtype(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    subtype = numpy_dtype(dec.short())
    need(subtype.kind in "biufc", "a sparse dtype of no number")
    fill = dec.value()
    need(type(fill) in (bool, int, float, complex) or isinstance(fill, np.generic), "a bad fill")
    return pd.SparseDtype(subtype, fill)


_DTYPES: Final[dict[int, Read]] = {
    Ext.MASKED: _masked_dtype,
    Ext.STRING: _string_dtype,
    Ext.CATEGORY: _category_dtype,
    Ext.DATETIME: lambda dec: pd.DatetimeTZDtype(_unit(dec), read_zone(dec)),
    Ext.PERIOD: lambda dec: period_dtype(dec.short()),
    Ext.INTERVAL: _interval_dtype,
    Ext.SPARSE: _sparse_dtype,
    Ext.ARROW: lambda dec: pd.ArrowDtype(arrow_type(dec.short())[0]),
}


def check_unique(index: Any) -> None:  # noqa: ANN401 - pandas is untyped
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


# --- extension arrays ------------------------------------------------------------------------


def _extension(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    dec.charge(COST_ARRAY)
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


def _naive(values: npt.NDArray[Any]) -> Any:  # noqa: ANN401 - pandas is untyped
    dtype = values.dtype
    unit, multiple = np.datetime_data(dtype)
    need(unit in UNITS and multiple == 1 and dtype.isnative, "a unit that pandas does not have")
    need(values.ndim > 0, "an array of no dimension")
    cls = pd.arrays.DatetimeArray if dtype.kind == "M" else pd.arrays.TimedeltaArray
    return cls._simple_new(values, dtype=dtype)  # noqa: SLF001 - the constructor is deprecated


def _masked(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    data = vector(dec, dtype.numpy_dtype.str)
    return dtype.construct_array_type()(data, _mask(dec, len(data)))


def _string(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    if dtype.storage == "pyarrow":
        return pd.arrays.ArrowStringArray(_arrow_text(dec, _LARGE), dtype=dtype)
    layout, size, mask = _text_head(dec)
    need(layout == Text.POINTS, "no such layout of text")
    items = np.fromiter(_texts(dec, size, mask, dtype.na_value), object, size)
    # The constructor infers; these are strings and missing values by construction.
    return pd.arrays.StringArray._simple_new(items, dtype)  # noqa: SLF001 - see above


def _text_head(dec: Decoder) -> tuple[int, int, npt.NDArray[np.bool_] | None]:
    layout, size = _TEXT_HEAD(dec.data, dec.take(9))
    need(4 * size <= dec.end - dec.pos, "more rows than bytes")
    dec.charge(size)
    return layout, size, _raw(dec, np.dtype(bool), size) if dec.flag() else None


def _texts(
    dec: Decoder, size: int, mask: npt.NDArray[np.bool_] | None, missing: object
) -> list[Any]:
    need(4 * size <= dec.end - dec.pos, "more rows than bytes")
    items = dec.strings(size)
    if mask is None:
        return items
    need(not any(itertools.compress(items, mask)), "text under a mask")
    return [missing if hidden else item for item, hidden in zip(items, mask, strict=True)]


def _arrow_text(dec: Decoder, kind: Any) -> Any:  # noqa: ANN401 - pyarrow is untyped
    """Read strings into an Arrow array.

    Arrow believes its offsets, so they are made here from lengths that must add up, and each
    must fall between two characters of a text that is valid UTF-8.
    """
    layout, size, mask = _text_head(dec)
    if layout == Text.POINTS:
        return pa.array(_texts(dec, size, mask, None), kind)
    need(layout == Text.BYTES, "no such layout of text")
    pos = dec.take(4 * size)
    lengths = np.frombuffer(dec.data, "<u4", size, pos)
    text = dec.blob()
    offsets = np.zeros(size + 1, np.int64)
    lengths.cumsum(out=offsets[1:])
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


def _category(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    codes = block(dec)
    need(dtype.categories is not None, "a categorical without categories")
    need(codes.ndim == 1 and codes.dtype.kind == "i", "category codes that are none")
    _check_codes(codes, len(dtype.categories))
    return pd.Categorical._simple_new(codes, dtype)  # noqa: SLF001 - the codes are checked


def _check_codes(codes: npt.NDArray[Any], size: int) -> None:
    need(not len(codes) or (codes.min() >= -1 and codes.max() < size), "a code out of range")


def _datetime(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    values = _stamps(dec).view(f"M8[{dtype.unit}]")
    return pd.arrays.DatetimeArray._simple_new(values, dtype=dtype)  # noqa: SLF001 - the constructor is deprecated


def _stamps(dec: Decoder) -> npt.NDArray[Any]:
    values = block(dec)
    need(values.dtype == np.int64 and values.dtype.isnative and values.ndim, "no time stamps")
    return values


def _intervals(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    left, right = dec.value(), dec.value()
    need(_is_index(left) and _is_index(right), "an interval's side that is no index")
    dec.charge(COST_PANDAS)
    result = pd.arrays.IntervalArray.from_arrays(left, right, dtype.closed)
    need(result.dtype == dtype, "intervals of another dtype than they say")
    return result


def _sparse(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    kind = dec.short()
    need(kind in ("integer", "block"), "no such sparse layout")
    dec.charge(COST_PANDAS)
    return pd.arrays.SparseArray(vector(dec, dtype.subtype.str), dtype=dtype, kind=kind)


def _arrow(dec: Decoder, dtype: Any) -> Any:  # noqa: ANN401 - pandas is untyped
    dec.charge(COST_PANDAS)
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


# --- indexes, series, frames -----------------------------------------------------------------


def _is_index(value: object) -> bool:
    return isinstance(value, pd.Index)


def _index(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    dec.charge(COST_PANDAS)
    values = dec.value()
    name = dec.value()
    freq = dec.short()
    need(
        type(values) is np.ndarray or isinstance(values, pd.api.extensions.ExtensionArray),
        "no labels",
    )
    need(values.ndim == 1 and type(values) is not pd.arrays.NumpyExtensionArray, "no labels")
    index = _new_index(values, name)
    if freq:
        _set_freq(index, freq)
    return index


def _new_index(values: Any, name: object) -> Any:  # noqa: ANN401 - pandas is untyped
    hash(name)
    if type(values) in _PLAIN_LABELS:
        # What the constructor comes to, without its questions.
        return pd.Index._simple_new(values, name=name)  # noqa: SLF001 - see above
    index = pd.Index(values, dtype=values.dtype, name=name, copy=False)
    need(index.dtype == values.dtype, "labels of a dtype that no index has")
    return index


_PLAIN_LABELS: Final = (pd.arrays.ArrowStringArray, pd.arrays.StringArray)


def _set_freq(index: Any, text: str) -> None:  # noqa: ANN401 - pandas is untyped
    """Give a date index the frequency that it claims, if its labels have it."""
    freq = offset(text)
    need(isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)), "a frequency without dates")
    nanos = tick_nanos(text)
    if nanos is not None and (index.dtype.kind == "m" or index.tz is None or "D" not in text):
        step, rest = divmod(nanos, UNITS[index.unit])
        stamps = index.asi8
        regular = rest == 0 and (stamps[1:] - stamps[:-1] == step).all()
        need(len(index) < 2 or regular, "a frequency that the labels do not have")  # noqa: PLR2004 - no step
        need(not index.hasnans, "a frequency and a missing label")
        index._freq = freq  # noqa: SLF001 - the setter would infer what was just checked
    else:
        need(len(index) <= MAX_CALENDAR_ROWS, "too many dates to check their calendar")
        index.freq = freq


def _range_index(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    dec.charge(COST_PANDAS)
    labels = range(dec.i64(), dec.i64(), dec.i64())
    need(len(labels) <= dec.max_items, "a range index too long")
    name = dec.value()
    hash(name)
    return pd.RangeIndex._simple_new(labels, name=name)  # noqa: SLF001 - the labels are a range


def _multi_index(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    levels, codes, names = [], [], []
    for _ in range(dec.u32()):
        dec.charge(COST_PANDAS)
        level = dec.value()
        need(_is_index(level) and not isinstance(level, pd.MultiIndex), "a level that is no index")
        check_unique(level)
        code = block(dec)
        need(code.ndim == 1 and code.dtype.kind == "i", "level codes that are none")
        _check_codes(code, len(level))
        levels.append(level)
        codes.append(code)
        names.append(dec.value())
    need(levels and len(set(map(len, codes))) == 1, "levels of different lengths")
    return pd.MultiIndex(levels, codes, names=names, verify_integrity=False)


def _finish(obj: Any, flag: bool, attrs: object) -> Any:  # noqa: ANN401 - pandas is untyped
    if attrs is not None:
        need(type(attrs) is dict, "attrs that are no dict")
        obj.attrs = attrs
    if not flag:
        obj.flags.allows_duplicate_labels = False
    return obj


def _series(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    dec.charge(COST_PANDAS)
    flag, attrs = dec.flag(), dec.value()
    index, name = dec.value(), dec.value()
    values = _column(dec)
    need(_is_index(index) and values.ndim == 1, "a series without an index")
    need(len(index) == len(values), "an index of another length than the series")
    series = pd.Series(values, index=index, name=name, dtype=values.dtype, copy=False)
    return _finish(series, flag, attrs)


def _column(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    tag = dec.u8()
    if tag == Tag.EXT_ARRAY:
        values = _extension(dec)
        need(type(values) is not pd.arrays.NumpyExtensionArray, "a wrapped plain column")
        return values
    need(tag == Tag.NDARRAY, "a column was due")
    values = block(dec)
    kind = values.dtype.kind
    # Dates come wrapped, text as objects, and pandas has no column of another byte order.
    need(kind in "biufcO" and values.dtype.isnative, "a dtype that no column has")
    return values


def _frame(dec: Decoder) -> Any:  # noqa: ANN401 - pandas is untyped
    dec.charge(COST_PANDAS)
    flag, attrs = dec.flag(), dec.value()
    index, columns = dec.value(), dec.value()
    need(_is_index(index) and _is_index(columns), "a frame without an index")
    rows, width = len(index), len(columns)
    blocks = []
    for _ in range(dec.u32()):
        dec.charge(COST_ARRAY)
        places = _raw(dec, np.dtype("<u4"), dec.u32()).astype(np.intp)
        values = _column(dec)
        if values.ndim == 1 and type(values) is not np.ndarray:
            need(len(places) == 1, "one column at several places")
            need(len(values) == rows, "a column of another length than the index")
        else:
            need(values.shape == (len(places), rows), "a block of another shape than the frame")
        blocks.append((values, places))
    order = list(itertools.chain.from_iterable(places.tolist() for _, places in blocks))
    need(sorted(order) == list(range(width)), "columns that are missing or doubled")
    return _finish(create_dataframe_from_blocks(blocks, index, columns), flag, attrs)


def register() -> None:
    """Add numpy's and pandas' tags to the decoder's table."""
    readers: dict[int, Read] = {
        Tag.NP_SCALAR: _scalar,
        Tag.NP_STR: lambda dec: np.str_(dec.text()),
        Tag.NP_BYTES: lambda dec: np.bytes_(dec.blob()),
        Tag.NDARRAY: block,
        Tag.NP_DTYPE: lambda dec: numpy_dtype(dec.short()),
        Tag.PD_NA: lambda _: pd.NA,
        Tag.PD_NAT: lambda _: pd.NaT,
        Tag.TIMESTAMP: _timestamp,
        Tag.PD_TIMEDELTA: _timedelta,
        Tag.PERIOD: _period,
        Tag.INTERVAL: _interval,
        Tag.PD_DTYPE: lambda dec: _dtype(dec)[1],
        Tag.EXT_ARRAY: _extension,
        Tag.INDEX: _index,
        Tag.RANGE_INDEX: _range_index,
        Tag.MULTI_INDEX: _multi_index,
        Tag.SERIES: _series,
        Tag.FRAME: _frame,
    }
    for tag, read in readers.items():
        READERS[tag] = read
