"""Which cells of two columns differ: vectorised, by dtype, without pandas' own comparisons.

Nothing here broadcasts, aligns by label or hashes. Callers have checked that both columns have
the same length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas  # noqa: ICN001 - the name pd is taken below

pd: Any = pandas  # its stubs know nothing of arrays' insides
Mask = npt.NDArray[np.bool_]
Column = Any
Same = Callable[[object, object], bool]

_NUMBERS = ("integer", "float", "complex")


def family(values: Column) -> str:
    """Name what a column's dtype is for: integer, float, boolean, text, datetime, ….

    Args:
        values: a one-dimensional numpy or pandas array.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "zoned datetime"
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return str(dtype)[:60]
    kind: str = dtype.kind
    if isinstance(dtype, pd.ArrowDtype) and kind not in "biuf":
        return str(dtype)[:60]
    return _FAMILIES.get(kind, "object")


_FAMILIES = {
    "b": "boolean", "i": "integer", "u": "integer", "f": "float", "c": "complex", "M": "datetime",
    "m": "timedelta", "U": "text", "T": "text", "S": "bytes",
}  # fmt: skip


def is_text(values: Column) -> bool:
    """Say whether a column holds nothing but str and missing values, whatever its dtype."""
    if family(values) == "text":
        return True
    missing = (type(None), float, type(pd.NA))
    return values.dtype == object and all(
        type(item) is str or (type(item) in missing and item is not True and _is_missing(item))
        for item in values.tolist()
    )


def same_dtype(actual: Column, expected: Column) -> bool:
    """Say whether two columns have one dtype; byte order and width of text do not count."""
    left, right = actual.dtype, expected.dtype
    if isinstance(left, np.dtype) and isinstance(right, np.dtype):
        if left.kind == right.kind and left.kind in "US":
            return True
        return bool(left.newbyteorder("=") == right.newbyteorder("="))
    if isinstance(left, pd.CategoricalDtype) and isinstance(right, pd.CategoricalDtype):
        return _same_categories(left, right)
    return type(left) is type(right) and bool(left == right) and str(left) == str(right)


def _same_categories(left: Any, right: Any) -> bool:  # noqa: ANN401 - a pandas dtype
    if bool(left.ordered) != bool(right.ordered):
        return False
    ours, theirs = left.categories, right.categories
    if ours is None or theirs is None:
        return ours is theirs
    if len(ours) != len(theirs) or family(ours._values) != family(theirs._values):  # noqa: SLF001 - .array wraps plain arrays
        return False
    if left.ordered:
        return list(ours) == list(theirs)
    return set(ours) == set(theirs)


def same_family(actual: Column, expected: Column) -> bool:
    """Say whether two columns hold one kind of values, perhaps in dtypes of different make."""
    if same_dtype(actual, expected):
        return True
    left, right = family(actual), family(expected)
    if left == right:
        return left not in ("object", "category")
    return is_text(actual) and is_text(expected)


def missing(values: Column) -> Mask:
    """Mark the missing cells: NaN, NA, NaT and None alike.

    Args:
        values: a numpy or pandas array of one dimension.
    """
    if type(values) is np.ndarray and values.dtype.kind in "biuSUT":
        return np.zeros(values.shape, bool)
    found: Mask = np.asarray(pd.isna(values), dtype=bool)
    if hasattr(values, "_mask") and values.dtype.kind == "f":
        found = found | np.isnan(values._data)  # noqa: SLF001 - a nullable float may hold NaN beside NA
    return found


def _na(values: Column) -> Mask | None:
    """Mark NA where a dtype tells it from NaN."""
    if hasattr(values, "_mask"):
        mask: Mask = values._mask  # noqa: SLF001 - isna() counts NaN in on some settings
        return mask
    return None


def differing(actual: Column, expected: Column, rtol: float, atol: float, same: Same) -> Mask:
    """Mark the cells that differ.

    Args:
        actual: one-dimensional array.
        expected: one of the same length.
        rtol: relative tolerance; used where a float takes part.
        atol: absolute tolerance; likewise.
        same: compares two cells of dtype object.
    """
    left, right = family(actual), family(expected)
    numeric = (*_NUMBERS, "boolean")
    if left in numeric and right in numeric:
        if (left == "boolean") != (right == "boolean"):
            return np.ones(len(expected), bool)
        return _numbers_differ(actual, expected, rtol, atol)
    if left == right and left in ("datetime", "timedelta", "zoned datetime"):
        return _stamps_differ(actual, expected)
    if is_text(actual) and is_text(expected):
        gone, due = missing(actual), missing(expected)
        cells = zip(list(actual), list(expected), gone, due, strict=True)
        equal = (g and d if g or d else a == e for a, e, g, d in cells)
    else:
        equal = (same(a, e) for a, e in zip(list(actual), list(expected), strict=True))
    return ~np.fromiter(equal, bool, len(expected))


def _numbers_differ(actual: Column, expected: Column, rtol: float, atol: float) -> Mask:
    gone, due = missing(actual), missing(expected)
    equal = close(_numbers(actual), _numbers(expected), rtol, atol)
    equal = np.where(gone | due, gone & due, equal)
    ours, theirs = _na(actual), _na(expected)
    if ours is not None and theirs is not None:
        equal &= ours == theirs
    return ~equal


def _stamps_differ(actual: Column, expected: Column) -> Mask:
    ours, theirs = _stamps(actual), _stamps(expected)
    if ours.dtype == theirs.dtype:
        return np.asarray(ours.view("i8") != theirs.view("i8"))
    gone, due = np.isnat(ours), np.isnat(theirs)
    try:
        equal: Mask = ours == theirs
    except OverflowError:  # dates that the finer unit cannot hold
        return np.ones(len(expected), bool)
    return np.asarray(~np.where(gone | due, gone & due, equal))


def close(actual: npt.NDArray[Any], expected: npt.NDArray[Any], rtol: float, atol: float) -> Mask:
    """Mark the numbers that agree. Integers agree exactly; NaN agrees with NaN.

    Args:
        actual: numbers of any numpy dtype.
        expected: numbers of the same shape.
        rtol: relative to the expected number.
        atol: absolute.
    """
    equal: Mask = np.asarray(actual == expected)
    if actual.dtype.kind in "biu" and expected.dtype.kind in "biu":
        return equal
    wide = np.result_type(actual.dtype, expected.dtype, np.float64)
    left, right = actual.astype(wide), expected.astype(wide)
    with np.errstate(all="ignore"):
        near = np.abs(left - right) <= atol + rtol * np.abs(right)
        finite = np.isfinite(left) & np.isfinite(right)
        both_nan = np.isnan(left) & np.isnan(right)
    agree: Mask = equal | both_nan | (finite & near)
    return agree


def _numbers(values: Column) -> npt.NDArray[Any]:
    if isinstance(values.dtype, pd.SparseDtype):
        values = values.to_dense()
    if hasattr(values, "_mask"):
        data: npt.NDArray[Any] = values._data  # noqa: SLF001 - to_numpy would turn integers to objects
        return data
    if isinstance(values.dtype, pd.ArrowDtype):
        zero = False if values.dtype.kind == "b" else 0
        return np.asarray(values.to_numpy(dtype=values.dtype.numpy_dtype, na_value=zero))
    return np.asarray(values)


def _stamps(values: Column) -> npt.NDArray[Any]:
    return values if type(values) is np.ndarray else np.asarray(values._ndarray)  # noqa: SLF001 - UTC, no copy


def _is_missing(item: Any) -> bool:  # noqa: ANN401 - a cell
    return (
        item is None or item is pd.NA or item is pd.NaT or (type(item) is float and np.isnan(item))
    )
