"""numpy arrays, extension arrays and dtypes to bytes.

This reads some underscored attributes of pandas: the images pin pandas, and the tests of the
codec fail loudly where a new version differs.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from grader.wire._encode import WRITERS, Encoder, Write
from grader.wire._encode_python import write_zone
from grader.wire._tags import MAX_EMPTY_ITEMSIZE, DecodeError, Ext, NotDataError, Tag, Text
from grader.wire._types import (
    LONG_DOUBLE_PADDED,
    MASKED_DTYPES,
    PLAIN_DTYPES,
    STRING_DTYPE,
    PandasObject,
    arrow_type,
    numpy_dtype_text,
    pd,
    period_dtype,
)

_TEXT_HEAD: Final = struct.Struct("<BQ").pack
_LARGE: Final = pa.large_string()
_ONE: Final = struct.Struct("<BQ").pack
_TWO: Final = struct.Struct("<BQQ").pack
# The usual dtypes of columns, as they are written: what `numpy_dtype_text` comes to.
_PLAIN: Final[dict[np.dtype[Any], bytes]] = {
    np.dtype(text): bytes([len(text)]) + text.encode() for text in PLAIN_DTYPES
}
SMALL: Final = 32
SHORT_TEXT: Final = 1 << 10
KEPT_TEXTS: Final = 256
# The array is kept beside its bytes, so that no other can get its id.
_SHORT_TEXTS: Final[dict[int, tuple[Any, bytes]]] = {}


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
    dtype = array.dtype
    head = _PLAIN.get(dtype) if dtype.kind in "biufcmM" else None
    if head is not None and 1 <= array.ndim <= 2:  # noqa: PLR2004 - a column or a block of them
        enc.fits(array.nbytes)
        enc.out += (_ONE if array.ndim == 1 else _TWO)(array.ndim, *array.shape)
        enc.out += head
        enc.out += array.tobytes()
        return
    text = numpy_dtype_text(dtype)
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


def period_freq(enc: Encoder, text: str) -> None:
    """Write the frequency of a period, if it is one that is carried."""
    try:
        period_dtype(text)
    except DecodeError as error:
        raise NotDataError(str(error)) from None
    enc.short(text)


# --- dtypes and extension arrays -------------------------------------------------------------


def dtype_spec(enc: Encoder, dtype: PandasObject) -> int:
    """Write a pandas dtype and return its kind.

    Raises:
        NotDataError: it is none that is carried.
    """
    cls = type(dtype)
    if cls not in _SPECS:
        raise NotDataError(f"the dtype {cls.__name__[:80]}")
    kind, write = _SPECS[cls]
    enc.out.append(kind)
    write(enc, dtype)
    return kind


def _masked_dtype(enc: Encoder, dtype: PandasObject) -> None:
    enc.short(dtype.name)


def _string_dtype(enc: Encoder, dtype: PandasObject) -> None:
    enc.out.append((dtype.storage == "pyarrow") + 2 * (dtype.na_value is pd.NA))


def _category_dtype(enc: Encoder, dtype: PandasObject) -> None:
    enc.out.append(bool(dtype.ordered))
    enc.part(dtype.categories)


def _zoned_dtype(enc: Encoder, dtype: PandasObject) -> None:
    enc.short(dtype.unit)
    write_zone(enc, dtype.tz)


def _period_dtype(enc: Encoder, dtype: PandasObject) -> None:
    period_freq(enc, dtype._freqstr)  # noqa: SLF001 - .freq.freqstr differs ("ME")


def _interval_dtype(enc: Encoder, dtype: PandasObject) -> None:
    enc.short(dtype.closed or "")
    enc.part(dtype.subtype)


def _sparse_dtype(enc: Encoder, dtype: PandasObject) -> None:
    if dtype.subtype.kind not in "biufc":
        raise NotDataError(f"the dtype {dtype.name[:80]}")
    enc.short(numpy_dtype_text(dtype.subtype))
    enc.part(dtype.fill_value)


def _arrow_dtype(enc: Encoder, dtype: PandasObject) -> None:
    text = str(dtype.pyarrow_dtype)
    try:
        arrow_type(text)
    except DecodeError as error:
        raise NotDataError(str(error)) from None
    enc.short(text)


_SPECS: Final[dict[type, tuple[int, Write]]] = {
    **{type(dtype): (Ext.MASKED, _masked_dtype) for dtype in MASKED_DTYPES.values()},
    pd.StringDtype: (Ext.STRING, _string_dtype),
    pd.CategoricalDtype: (Ext.CATEGORY, _category_dtype),
    pd.DatetimeTZDtype: (Ext.DATETIME, _zoned_dtype),
    pd.PeriodDtype: (Ext.PERIOD, _period_dtype),
    pd.IntervalDtype: (Ext.INTERVAL, _interval_dtype),
    pd.SparseDtype: (Ext.SPARSE, _sparse_dtype),
    pd.ArrowDtype: (Ext.ARROW, _arrow_dtype),
}


def _pd_dtype(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.PD_DTYPE)
    dtype_spec(enc, obj)


def _extension(enc: Encoder, obj: PandasObject) -> None:
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


def _masked(enc: Encoder, obj: PandasObject) -> None:
    data, mask = obj._data, obj._mask  # noqa: SLF001 - NaN and NA are told apart only here
    if data.size and mask.any():
        # What lies under the mask is whatever the last operation left there.
        data = data.copy()
        data[mask] = data.dtype.type(0)
    block(enc, data)
    _mask(enc, mask)


def _string(enc: Encoder, obj: PandasObject) -> None:
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


def _arrow_text(enc: Encoder, chunks: PandasObject) -> None:
    """Write strings as a mask, lengths in bytes (u32 each) and one UTF-8 text."""
    known, data = _SHORT_TEXTS.get(id(chunks), (None, b""))
    if known is chunks:
        enc.fits(len(data))
        enc.out += data
        return
    size = len(chunks)
    enc.fits(4 * size)
    if size <= SMALL and not chunks.null_count:
        # Labels of columns, categories: Python's own strings beat a dozen calls of numpy.
        enc.fits(chunks.nbytes)
        start = len(enc.out)
        _texts(enc, chunks.to_pylist(), None)
        if chunks.get_total_buffer_size() <= SHORT_TEXT:
            # Arrow's arrays never change, and a frame's labels are written again and again.
            if len(_SHORT_TEXTS) >= KEPT_TEXTS:
                _SHORT_TEXTS.clear()
            _SHORT_TEXTS[id(chunks)] = chunks, bytes(enc.out[start:])
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


def _text_buffers(array: PandasObject) -> tuple[npt.NDArray[np.int64], Any]:
    _, offsets, text = array.buffers()
    if len(array) == 0:
        return np.zeros(1, np.int64), b""
    return np.frombuffer(offsets, np.int64, len(array) + 1, 8 * array.offset), text or b""


def _category(enc: Encoder, obj: PandasObject) -> None:
    block(enc, obj.codes)


def _datetime_like(enc: Encoder, obj: PandasObject) -> None:
    block(enc, obj._ndarray.view("i8"))  # noqa: SLF001 - may have two dimensions inside a frame


def _intervals(enc: Encoder, obj: PandasObject) -> None:
    enc.part(obj.left)
    enc.part(obj.right)


def _sparse(enc: Encoder, obj: PandasObject) -> None:
    # Dense, so that the bytes stand in proportion to what the reader has to build.
    enc.fits(len(obj) * obj.dtype.subtype.itemsize)
    enc.short(obj.kind)
    block(enc, obj.to_dense())


def _arrow(enc: Encoder, obj: PandasObject) -> None:
    chunks = obj._pa_array  # noqa: SLF001 - keeps nulls and NaN apart
    kind = arrow_type(str(chunks.type))[1]
    if kind is None:
        _arrow_text(enc, chunks)
        return
    array = chunks.combine_chunks()
    mask = array.is_null(nan_is_null=False).to_numpy(zero_copy_only=False)
    if chunks.type.bit_width > 1 and not pa.types.is_floating(chunks.type):
        array = array.view(kind_of(kind))
    zero = pa.scalar(0, array.type) if kind != "|b1" else pa.scalar(False)
    block(enc, array.fill_null(zero).to_numpy(zero_copy_only=False).astype(kind, copy=False))
    _mask(enc, mask)


def kind_of(text: str) -> PandasObject:
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


def values(enc: Encoder, array: PandasObject) -> None:
    """Write a plain or extension array with its tag."""
    if type(array) is np.ndarray:
        _ndarray(enc, array)
    else:
        _extension(enc, array)


def register() -> None:
    """Add arrays and dtypes to the encoder's table."""
    WRITERS.update({type(dtype): _np_dtype for dtype in map(np.dtype, "?bhilqBHILQefdgFDGOSUmM")})
    WRITERS[np.dtypes.StringDType] = _np_dtype
    WRITERS.update(dict.fromkeys((np.dtype(code).type for code in "?bhilqBHILQefdgFDGmM"), _scalar))
    WRITERS.update({np.str_: _np_str, np.bytes_: _np_bytes, np.ndarray: _ndarray})
    WRITERS.update(dict.fromkeys(_SPECS, _pd_dtype))
    for name in pd.arrays.__all__:
        WRITERS[getattr(pd.arrays, name)] = _extension
