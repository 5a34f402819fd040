"""Bytes to numpy arrays, copied out of the payload, so that they are aligned and writable."""

from __future__ import annotations

import math
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.wire._decode import COST_ARRAY, WORK_ARRAY, Decoder, need
from grader.wire._tags import MAX_EMPTY_ITEMSIZE, MAX_NDIM, DecodeError
from grader.wire._types import PLAIN_DTYPES, STRING_DTYPE, numpy_dtype

_MAX_CODE_POINT: Final = 0x10FFFF
_ONE: Final = struct.Struct("<Q").unpack_from
_TWO: Final = struct.Struct("<QQ").unpack_from
_PLAIN: Final[dict[bytes, np.dtype[Any]]] = {
    bytes([len(text)]) + text.encode(): np.dtype(text) for text in PLAIN_DTYPES
}


def raw(dec: Decoder, dtype: np.dtype[Any], size: int) -> npt.NDArray[Any]:
    pos = dec.take(size * dtype.itemsize)
    dec.charge_cells(size)
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
    data, start = dec.data, dec.pos
    ndim = data[start]
    if 1 <= ndim <= 2:  # noqa: PLR2004 - a column or a block of them
        head = start + 1 + 8 * ndim
        plain = _PLAIN.get(data[head : head + 1 + data[head]]) if head < dec.end else None
        if plain is not None:
            return _plain(dec, ndim, head, plain)
    dec.pos = start + 1
    need(ndim <= MAX_NDIM, "too many dimensions")
    dec.charge(COST_ARRAY + ndim, WORK_ARRAY)
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
    return raw(dec, dtype, size).reshape(shape)


def _plain(dec: Decoder, ndim: int, head: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Read what the rest of `block` would, for one of the usual dtypes, in fewer steps."""
    dec.charge(COST_ARRAY + ndim, WORK_ARRAY)
    data = dec.data
    if ndim == 1:
        (size,) = shape = _ONE(data, head - 8)
    else:
        shape = _TWO(data, head - 16)
        size = shape[0] * shape[1]
        need(size or max(shape) <= dec.max_items, "an empty array of huge shape")
    dec.pos = head + 1 + data[head]
    pos = dec.take(size * dtype.itemsize)
    dec.charge_cells(size)
    array = np.frombuffer(data, dtype, size, pos).copy() if size else np.empty(0, dtype)
    if dtype.kind == "b" and data[pos : dec.pos].translate(None, b"\0\1"):
        raise DecodeError("a bool that is neither 0 nor 1")
    return array if ndim == 1 else array.reshape(shape)


def vector(dec: Decoder, dtype: str) -> npt.NDArray[Any]:
    """Read an array that must have one dimension and this dtype."""
    array = block(dec)
    need(array.ndim == 1 and array.dtype.str == dtype, f"a vector of {dtype} was due")
    return array
