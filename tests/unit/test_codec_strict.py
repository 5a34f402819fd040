"""The strict equality that the codec is tested with, and what it must tell apart."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader.wire.values import Record


def describe(obj: Any) -> Any:  # noqa: C901, PLR0912 - one line for each type
    """Turn a value into nested tuples of plain data that are equal for identical values only."""
    cls = type(obj)
    if cls is float:
        return "float", "nan" if obj != obj else struct.pack("<d", obj)  # noqa: PLR0124 - NaN
    if cls is complex:
        return "complex", describe(obj.real), describe(obj.imag)
    if cls in (list, tuple):
        return cls.__name__, tuple(map(describe, obj))
    if cls in (set, frozenset):
        return cls.__name__, tuple(sorted(map(repr, map(describe, obj))))
    if cls is dict:
        return "dict", tuple((describe(key), describe(value)) for key, value in obj.items())
    if cls is slice:
        return "slice", describe((obj.start, obj.stop, obj.step))
    if cls is Record:
        owner = (obj.handle, obj.has_methods)
        return "record", obj.type_name, obj.is_tuple, owner, describe(obj.fields)
    if cls is np.ndarray:
        return "ndarray", describe(obj.dtype), obj.shape, _items(obj)
    if isinstance(obj, np.dtype):
        return "dtype", str(obj), obj.str
    if isinstance(obj, np.generic):
        return cls.__name__, str(obj.dtype), _items(np.asarray(obj))
    if isinstance(obj, pd.api.extensions.ExtensionDtype):
        categories = getattr(obj, "categories", None)
        zone = getattr(obj, "tz", None)
        return (
            cls.__name__,
            repr(obj),
            getattr(obj, "ordered", None),
            describe(categories),
            repr(zone),
        )
    if isinstance(obj, pd.api.extensions.ExtensionArray):
        return cls.__name__, describe(obj.dtype), _extension(obj)
    if isinstance(obj, pd.MultiIndex):
        levels = tuple(map(describe, obj.levels))
        codes = tuple(tuple(code.tolist()) for code in obj.codes)
        return "MultiIndex", levels, codes, describe(tuple(obj.names))
    if isinstance(obj, pd.RangeIndex):
        return "RangeIndex", obj.start, obj.stop, obj.step, describe(obj.name)
    if isinstance(obj, pd.Index):
        freq = repr(getattr(obj, "freq", None))
        return cls.__name__, describe(obj.dtype), describe(obj._values), describe(obj.name), freq
    if isinstance(obj, pd.Series):
        return "Series", describe(obj.index), describe(obj.name), describe(obj._values), _extra(obj)
    if isinstance(obj, pd.DataFrame):
        columns = tuple(describe(obj.iloc[:, at]._values) for at in range(obj.shape[1]))
        return (
            "DataFrame",
            obj.shape,
            describe(obj.index),
            describe(obj.columns),
            columns,
            _extra(obj),
        )
    if isinstance(obj, pd.Timestamp):
        return "Timestamp", obj.asm8.astype("i8").item(), obj.unit, repr(obj.tz), obj.fold
    if isinstance(obj, pd.Timedelta):
        return "Timedelta", obj.asm8.astype("i8").item(), obj.unit
    if isinstance(obj, pd.Interval):
        return "Interval", describe(obj.left), describe(obj.right), obj.closed
    if obj is pd.NA or obj is pd.NaT:
        return repr(obj)
    return cls.__name__, repr(obj), getattr(obj, "fold", None)


def _items(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind in "OT":
        return tuple(map(describe, array.ravel().tolist()))
    if array.dtype.kind in "fc":
        return tuple(map(repr, array.ravel())), np.signbit(array.real).tobytes()
    return array.tobytes()


def _extension(obj: Any) -> Any:
    if hasattr(obj, "_mask"):
        return obj._mask.tolist(), tuple(map(describe, obj._data[~obj._mask]))
    if isinstance(obj, pd.arrays.SparseArray):
        return obj.kind, describe(obj.fill_value), describe(obj.to_dense())
    if isinstance(obj, pd.arrays.ArrowExtensionArray):
        return str(obj._pa_array.type), tuple(map(describe, obj._pa_array.to_pylist()))
    return tuple(map(describe, obj))


def _extra(obj: Any) -> Any:
    return describe(obj.attrs), obj.flags.allows_duplicate_labels


@dataclass
class Pair:
    left: Any
    right: Any


FRAME = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None]})
DIFFERENT = [
    Pair(1, True),
    Pair(1, 1.0),
    Pair(0.0, -0.0),
    Pair([1], (1,)),
    Pair(np.float64(1), 1.0),
    Pair(np.array([1]), np.array([1], "i4")),
    Pair(np.array([1], ">i4"), np.array([1], "<i4")),
    Pair(pd.array([1.0, None], dtype="Float64"), pd.array([1.0, 2.0], dtype="Float64")),
    Pair(pd.Series(["a"]), pd.Series(["a"], dtype=object)),
    Pair(pd.Series(["a"]), pd.Series(["a"], dtype="string")),
    Pair(pd.Series([1], name="x"), pd.Series([1])),
    Pair(pd.RangeIndex(2), pd.Index([0, 1])),
    Pair(FRAME, FRAME[["b", "a"]]),
    Pair(FRAME, FRAME.set_flags(allows_duplicate_labels=False)),
    Pair(
        pd.date_range("2020", periods=3),
        pd.DatetimeIndex(list(pd.date_range("2020", periods=3)), freq=None),
    ),
    Pair(pd.Categorical(["a"], ordered=True), pd.Categorical(["a"])),
    Pair(pd.NA, pd.NaT),
    Pair(pd.Timestamp(0).as_unit("s"), pd.Timestamp(0).as_unit("us")),
]


@pytest.mark.parametrize("pair", DIFFERENT, ids=lambda pair: repr(pair)[:40])
def test_strict_equality_tells_apart(pair: Pair) -> None:
    assert describe(pair.left) != describe(pair.right)
