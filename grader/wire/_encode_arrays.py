"""numpy and pandas to bytes: `register` adds these types to the encoder's table.

Frames are written block by block, as pandas stores them, so a block of a hundred columns costs
as much as one. That reads pandas' managers and some underscored attributes: the images pin
pandas, and the tests of this module fail loudly where a new version differs.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from grader.wire._encode import WRITERS, Encoder, Write, zone
from grader.wire._types import (
    LONG_DOUBLE_PADDED,
    MASKED_DTYPES,
    MAX_EMPTY_ITEMSIZE,
    STRING_DTYPE,
    DecodeError,
    Ext,
    NotDataError,
    Tag,
    Text,
    arrow_type,
    numpy_dtype_text,
    offset,
    period_dtype,
)

_I64: Final = struct.Struct("<q").pack
_TEXT_HEAD: Final = struct.Struct("<BQ").pack
_LARGE: Final = pa.large_string()
SMALL: Final = 32


def _scalar(enc: Encoder, obj: np.generic) -> None:
    enc.out.append(Tag.NP_SCALAR)
    _raw(enc, np.asarray(obj), numpy_dtype_text(obj.dtype))


def _np_str(enc: Encoder, obj: np.str_) -> None:
    enc.out.append(Tag.NP_STR)
    enc.text(str.__str__(obj))


def _np_bytes(enc: Encoder, obj: np.bytes_) -> None:
    enc.out.append(Tag.NP_BYTES)
    enc.blob(bytes(obj))


def _raw(enc: Encoder, array: npt.NDArray[Any], text: str) -> None:
    enc.fits(array.nbytes)
    enc.short(text)
    data = array.tobytes()
    if LONG_DOUBLE_PADDED and array.dtype.type in (np.longdouble, np.clongdouble):
        padded = np.frombuffer(bytearray(data), np.uint8).reshape(-1, 16)
        if array.dtype.str[0] == ">":
            padded[:, :6] = 0
        else:
            padded[:, 10:] = 0
        data = padded.tobytes()
    enc.out += data


def block(enc: Encoder, array: npt.NDArray[Any]) -> None:
    """Write an array: dtype, shape, items in C order. The memory layout is not kept."""
    text = numpy_dtype_text(array.dtype)
    if array.size == 0 and array.dtype.itemsize > MAX_EMPTY_ITEMSIZE:
        raise NotDataError("an empty array of huge items")
    enc.out.append(array.ndim)
    enc.out += struct.pack(f"<{array.ndim}Q", *array.shape)
    if text in ("|O", STRING_DTYPE):
        enc.fits(array.size)
        enc.short(text)
        enc.sequence(array.ravel().tolist())
    else:
        _raw(enc, array, text)


def _ndarray(enc: Encoder, obj: npt.NDArray[Any]) -> None:
    enc.out.append(Tag.NDARRAY)
    block(enc, obj)


def _np_dtype(enc: Encoder, obj: np.dtype[Any]) -> None:
    enc.out.append(Tag.NP_DTYPE)
    enc.short(numpy_dtype_text(obj))


def _mask(enc: Encoder, mask: npt.NDArray[np.bool_]) -> None:
    data = mask.tobytes()
    if b"\1" in data:
        enc.out.append(1)
        enc.out += data
    else:
        enc.out.append(0)


# --- scalars of pandas ---------------------------------------------------------------------


def _timestamp(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.TIMESTAMP)
    enc.short(obj.unit)
    enc.out += _I64(obj.asm8.astype("i8"))
    enc.out.append(obj.fold)
    zone(enc, obj.tzinfo)


def _timedelta(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.PD_TIMEDELTA)
    enc.short(obj.unit)
    enc.out += _I64(obj.asm8.astype("i8"))


def _period_freq(enc: Encoder, text: str) -> None:
    try:
        period_dtype(text)
    except DecodeError as error:
        raise NotDataError(str(error)) from None
    enc.short(text)


def _period(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.PERIOD)
    _period_freq(enc, obj.freqstr)
    enc.out += _I64(obj.ordinal)


def _interval(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.INTERVAL)
    enc.short(obj.closed)
    enc.part(obj.left)
    enc.part(obj.right)


# --- dtypes and extension arrays -------------------------------------------------------------


def dtype_spec(enc: Encoder, dtype: Any) -> int:  # noqa: ANN401 - pandas is untyped
    """Write a pandas dtype and return its kind."""
    cls = type(dtype)
    out = enc.out
    if dtype.name in MASKED_DTYPES and cls is type(MASKED_DTYPES[dtype.name]):
        out.append(Ext.MASKED)
        enc.short(dtype.name)
        return Ext.MASKED
    if cls is pd.StringDtype:
        out.append(Ext.STRING)
        out.append((dtype.storage == "pyarrow") + 2 * (dtype.na_value is pd.NA))
        return Ext.STRING
    if cls is pd.CategoricalDtype:
        out.append(Ext.CATEGORY)
        out.append(bool(dtype.ordered))
        enc.part(dtype.categories)
        return Ext.CATEGORY
    if cls is pd.DatetimeTZDtype:
        out.append(Ext.DATETIME)
        enc.short(dtype.unit)
        zone(enc, dtype.tz)
        return Ext.DATETIME
    if cls is pd.PeriodDtype:
        out.append(Ext.PERIOD)
        _period_freq(enc, dtype._freqstr)  # noqa: SLF001 - .freq.freqstr differs ("ME")
        return Ext.PERIOD
    if cls is pd.IntervalDtype:
        out.append(Ext.INTERVAL)
        enc.short(dtype.closed or "")
        enc.part(dtype.subtype)
        return Ext.INTERVAL
    if cls is pd.SparseDtype:
        if dtype.subtype.kind not in "biufc":
            raise NotDataError(f"the dtype {dtype.name[:80]}")
        out.append(Ext.SPARSE)
        enc.short(numpy_dtype_text(dtype.subtype))
        enc.part(dtype.fill_value)
        return Ext.SPARSE
    if cls is pd.ArrowDtype:
        text = str(dtype.pyarrow_dtype)
        try:
            arrow_type(text)
        except DecodeError as error:
            raise NotDataError(str(error)) from None
        out.append(Ext.ARROW)
        enc.short(text)
        return Ext.ARROW
    raise NotDataError(f"the dtype {cls.__name__[:80]}")


def _pd_dtype(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.PD_DTYPE)
    dtype_spec(enc, obj)


def _extension(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.EXT_ARRAY)
    cls = type(obj)
    if cls is pd.arrays.NumpyExtensionArray:
        enc.out.append(Ext.NUMPY)
        block(enc, obj.to_numpy())
        return
    dtype = obj.dtype
    if isinstance(dtype, np.dtype):  # naive datetimes and timedeltas
        enc.out.append(Ext.NAIVE)
        block(enc, obj._ndarray)  # noqa: SLF001 - may have two dimensions inside a frame
        return
    _PAYLOADS[dtype_spec(enc, dtype)](enc, obj)


def _masked(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    data, mask = obj._data, obj._mask  # noqa: SLF001 - NaN and NA are told apart only here
    if data.size and mask.any():
        # What lies under the mask is whatever the last operation left there.
        data = data.copy()
        data[mask] = data.dtype.type(0)
    block(enc, data)
    _mask(enc, mask)


def _string(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    if type(obj) is pd.arrays.ArrowStringArray:
        _arrow_text(enc, obj._pa_array)  # noqa: SLF001 - the buffers, without a copy
    else:
        _texts(enc, obj.to_numpy(object).tolist(), np.asarray(obj.isna()))


def _texts(enc: Encoder, items: list[Any], mask: npt.NDArray[np.bool_] | None) -> None:
    """Write strings as a mask, lengths in code points and one text."""
    enc.out += _TEXT_HEAD(Text.POINTS, len(items))
    if mask is None or not mask.any():
        enc.out.append(0)
    else:
        _mask(enc, mask)
        items = ["" if hidden else item for item, hidden in zip(items, mask, strict=True)]
    enc.strings(items)


def _arrow_text(enc: Encoder, chunks: Any) -> None:  # noqa: ANN401 - pyarrow is untyped
    """Write strings as a mask, lengths in bytes (u32 each) and one UTF-8 text."""
    size = len(chunks)
    enc.fits(4 * size)
    if size <= SMALL and not chunks.null_count:
        # Labels of columns, categories: Python's own strings beat a dozen calls of numpy.
        enc.fits(chunks.nbytes)
        _texts(enc, chunks.to_pylist(), None)
        return
    array = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    if array.type != _LARGE:
        array = array.cast(_LARGE)
    ends, text = _text_buffers(array)
    lengths = ends[1:] - ends[:-1]
    mask = None
    if array.null_count:
        mask = array.is_null().to_numpy(zero_copy_only=False)
        if lengths[mask].any():
            # Text under the mask must not cross; rebuilding drops it.
            enc.fits(int(ends[-1] - ends[0]))
            ends, text = _text_buffers(pa.array(array.to_pylist(), _LARGE))
            lengths = ends[1:] - ends[:-1]
    start, end = int(ends[0]), int(ends[-1])
    enc.fits(4 * size + end - start)
    enc.out += _TEXT_HEAD(Text.BYTES, size)
    if mask is None:
        enc.out.append(0)
    else:
        _mask(enc, mask)
    enc.out += lengths.astype("<u4").tobytes()
    enc.blob(memoryview(text)[start:end])


def _text_buffers(array: Any) -> tuple[npt.NDArray[np.int64], Any]:  # noqa: ANN401 - pyarrow is untyped
    _, offsets, text = array.buffers()
    if len(array) == 0:
        return np.zeros(1, np.int64), b""
    return np.frombuffer(offsets, np.int64, len(array) + 1, 8 * array.offset), text or b""


def _category(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    block(enc, obj.codes)


def _datetime_like(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    block(enc, obj._ndarray.view("i8"))  # noqa: SLF001 - may have two dimensions inside a frame


def _intervals(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.part(obj.left)
    enc.part(obj.right)


def _sparse(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    # Dense, so that the bytes stand in proportion to what the reader has to build.
    enc.fits(len(obj) * obj.dtype.subtype.itemsize)
    enc.short(obj.kind)
    block(enc, obj.to_dense())


def _arrow(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    chunks = obj._pa_array  # noqa: SLF001 - keeps nulls and NaN apart
    kind = arrow_type(str(chunks.type))[1]
    if kind is None:
        _arrow_text(enc, chunks)
        return
    array = chunks.combine_chunks()
    mask = array.is_null(nan_is_null=False).to_numpy(zero_copy_only=False)
    if chunks.type.bit_width > 1 and not pa.types.is_floating(chunks.type):
        array = array.view(kind_of(kind))
    zero = pa.scalar(0, array.type) if kind != "|b1" else pa.scalar(False)  # noqa: FBT003 - a value
    block(enc, array.fill_null(zero).to_numpy(zero_copy_only=False).astype(kind, copy=False))
    _mask(enc, mask)


def kind_of(text: str) -> Any:  # noqa: ANN401 - pyarrow is untyped
    """Give the Arrow type of a numpy dtype."""
    return pa.from_numpy_dtype(np.dtype(text))


_PAYLOADS: Final[dict[int, Write]] = {
    Ext.MASKED: _masked,
    Ext.STRING: _string,
    Ext.CATEGORY: _category,
    Ext.DATETIME: _datetime_like,
    Ext.PERIOD: _datetime_like,
    Ext.INTERVAL: _intervals,
    Ext.SPARSE: _sparse,
    Ext.ARROW: _arrow,
}


# --- indexes, series, frames -----------------------------------------------------------------


def _values(enc: Encoder, values: Any) -> None:  # noqa: ANN401 - pandas is untyped
    if type(values) is np.ndarray:
        enc.out.append(Tag.NDARRAY)
        block(enc, values)
    else:
        _extension(enc, values)


_DATED: Final = (pd.DatetimeIndex, pd.TimedeltaIndex)


def _index(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.INDEX)
    _values(enc, obj._values)  # noqa: SLF001 - .array wraps plain arrays
    enc.part(obj.name)
    freq = obj.freq if type(obj) in _DATED else None
    if freq is None:
        enc.out.append(0)
        return
    text = freq.freqstr
    try:
        known = offset(text) == freq
    except DecodeError:
        known = False
    # A custom calendar cannot be named. The labels are all there, so only the freq is lost.
    enc.short(text if known else "")


def _range_index(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.RANGE_INDEX)
    enc.out += struct.pack("<qqq", obj.start, obj.stop, obj.step)
    enc.part(obj.name)


def _multi_index(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.MULTI_INDEX)
    enc.count(obj.nlevels)
    for level, codes, name in zip(obj.levels, obj.codes, obj.names, strict=True):
        enc.part(level)
        block(enc, np.asarray(codes))
        enc.part(name)


def _extras(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(obj.flags.allows_duplicate_labels)
    enc.part(obj.attrs or None)


def _series(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.SERIES)
    _extras(enc, obj)
    enc.part(obj.index)
    enc.part(obj.name)
    _values(enc, obj._values)  # noqa: SLF001 - .array wraps plain arrays


def _frame(enc: Encoder, obj: Any) -> None:  # noqa: ANN401 - pandas is untyped
    enc.out.append(Tag.FRAME)
    _extras(enc, obj)
    enc.part(obj.index)
    enc.part(obj.columns)
    blocks = obj._mgr.blocks  # noqa: SLF001 - see the module's docstring
    enc.count(len(blocks))
    for part in blocks:
        places = part.mgr_locs.as_array
        enc.count(len(places))
        enc.out += places.astype("<u4").tobytes()
        _values(enc, part.values)


def register() -> None:
    """Add numpy's and pandas' types to the encoder's table."""
    WRITERS.update({type(dtype): _np_dtype for dtype in map(np.dtype, "?bhilqBHILQefdgFDGOSUmM")})
    WRITERS[np.dtypes.StringDType] = _np_dtype
    WRITERS.update(
        dict.fromkeys(map(lambda code: np.dtype(code).type, "?bhilqBHILQefdgFDGmM"), _scalar)
    )  # noqa: C417
    WRITERS.update({np.str_: _np_str, np.bytes_: _np_bytes, np.ndarray: _ndarray})
    WRITERS[type(pd.NA)] = lambda enc, _: enc.out.append(Tag.PD_NA)
    WRITERS[type(pd.NaT)] = lambda enc, _: enc.out.append(Tag.PD_NAT)
    WRITERS.update(
        {
            pd.Timestamp: _timestamp,
            pd.Timedelta: _timedelta,
            pd.Period: _period,
            pd.Interval: _interval,
            pd.RangeIndex: _range_index,
            pd.MultiIndex: _multi_index,
            pd.Series: _series,
            pd.DataFrame: _frame,
        }
    )
    for name in ("", "Categorical", "Datetime", "Timedelta", "Period", "Interval"):
        WRITERS[getattr(pd, f"{name}Index")] = _index
    masked = [type(dtype) for dtype in MASKED_DTYPES.values()]
    for name in "String Categorical DatetimeTZ Period Interval Sparse Arrow".split():
        WRITERS[getattr(pd, f"{name}Dtype")] = _pd_dtype
    WRITERS.update(dict.fromkeys(masked, _pd_dtype))
    for name in pd.arrays.__all__:
        WRITERS[getattr(pd.arrays, name)] = _extension
