"""The check library of the hidden tests: typed comparison of what a candidate returned.

Every function raises `AssertionError` with one bounded sentence that names what differs first,
where, and how much. The order is fixed: kind, shape, index, columns, dtype, then values. Nothing
broadcasts, aligns or negates: a scalar is no vector, an empty answer no full one, and NaN agrees
only with a missing value at the same place. Tolerances apply where a float takes part; integers
agree exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas  # noqa: ICN001 - the name pd is taken below

from grader.judge import _cells
from grader.judge._difference import Rules, array_difference, difference
from grader.judge._labelled import Options
from grader.judge._show import fail, kind, name_of, show

__all__ = [
    "assert_array",
    "assert_finite",
    "assert_frame",
    "assert_kind",
    "assert_series",
    "assert_value",
]

pd: Any = pandas  # its stubs know nothing of arrays' insides
_REAL = (int, float, np.integer, np.floating)


def assert_kind(actual: object, kind: type | tuple[type, ...], what: str = "result") -> None:
    """Check that a value is of a kind, such as ``pandas.DataFrame``. A bool is no int.

    Args:
        actual: decoded data.
        kind: a class, or several to choose from.
        what: what the value is, for the message.
    """
    kinds = kind if isinstance(kind, tuple) else (kind,)
    named_bool = bool in kinds or object in kinds
    if not isinstance(actual, kinds) or (isinstance(actual, bool) and not named_bool):
        fail(what, f"expected {name_of(kind)}, got {_got(actual)}")


def assert_value(
    actual: object,
    expected: object,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    numbers_interchangeable: bool = False,
    sequences_interchangeable: bool = False,
    what: str = "result",
) -> None:
    """Check that two values are equal in type and content, at every depth.

    The order of a dict does not count. A record equals a dataclass instance or named tuple of
    the judge's own with the same fields.

    Args:
        actual: decoded data.
        expected: any data.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        numbers_interchangeable: take 1, 1.0 and ``np.float64(1)`` for one. A bool never is a
            number.
        sequences_interchangeable: take list, tuple and named tuple for one.
        what: what the value is, for the message.
    """
    rules = Rules(rtol, atol, numbers_interchangeable, sequences_interchangeable)
    found = difference(actual, expected, rules)
    if found:
        fail(what, found)


def assert_frame(
    actual: object,
    *,
    expected: Any,  # noqa: ANN401 - a DataFrame
    rtol: float = 1e-9,
    atol: float = 0.0,
    check_dtype: bool = True,
    check_index: bool = True,
    check_names: bool = True,
    check_column_order: bool = True,
    equivalent_dtypes: bool = False,
    what: str = "result",
) -> None:
    """Check that a value is a DataFrame equal to the expected one.

    Args:
        actual: decoded data.
        expected: the DataFrame it should be, n rows by k columns.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        check_dtype: compare dtypes. Without it a column may hold its values in any dtype.
        check_index: compare the row labels. Without it only their number counts.
        check_names: compare the names of both indexes.
        check_column_order: compare the order of the columns.
        equivalent_dtypes: accept another dtype for the same kind of values: ``Int64`` for
            ``int32``, ``str`` for ``object`` full of text; then NA and NaN are one.
        what: what the value is, for the message.
    """
    if type(actual) is not pd.DataFrame:
        fail(what, f"expected a DataFrame, got {_got(actual)}")
    options = Options(
        rtol=rtol,
        atol=atol,
        dtype=check_dtype,
        index=check_index,
        names=check_names,
        order=check_column_order,
        equivalent=equivalent_dtypes,
    )
    found = options.frame(actual, expected)
    if found:
        fail(what, found)


def assert_series(
    actual: object,
    *,
    expected: Any,  # noqa: ANN401 - a Series
    rtol: float = 1e-9,
    atol: float = 0.0,
    check_dtype: bool = True,
    check_index: bool = True,
    check_names: bool = True,
    equivalent_dtypes: bool = False,
    what: str = "result",
) -> None:
    """Check that a value is a Series equal to the expected one.

    Args:
        actual: decoded data.
        expected: the Series it should be, n rows.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        check_dtype: compare dtypes, as in `assert_frame`.
        check_index: compare the row labels.
        check_names: compare the names of the series and of its index.
        equivalent_dtypes: accept another dtype for the same kind of values.
        what: what the value is, for the message.
    """
    if type(actual) is not pd.Series:
        fail(what, f"expected a Series, got {_got(actual)}")
    options = Options(
        rtol=rtol,
        atol=atol,
        dtype=check_dtype,
        index=check_index,
        names=check_names,
        equivalent=equivalent_dtypes,
    )
    found = options.series(actual, expected)
    if found:
        fail(what, found)


def assert_array(
    actual: object,
    *,
    expected: npt.ArrayLike,
    rtol: float = 1e-9,
    atol: float = 0.0,
    check_dtype: bool = True,
    what: str = "result",
) -> None:
    """Check that a value is an ndarray equal to the expected one.

    Args:
        actual: decoded data.
        expected: the array it should be, of any shape.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        check_dtype: compare dtypes; byte order and the width of text do not count.
        what: what the value is, for the message.
    """
    if type(actual) is not np.ndarray:
        fail(what, f"expected a ndarray, got {_got(actual)}")
    rules = Rules(rtol, atol, numbers=not check_dtype)
    found = array_difference(actual, np.asarray(expected), rules)
    if found:
        fail(what, found)


def assert_finite(
    actual: object, n: int | tuple[int, ...], what: str = "result"
) -> npt.NDArray[np.float64]:
    """Check that a value holds finite real numbers in exactly this shape.

    Args:
        actual: an ndarray, a Series, or a flat list or tuple of numbers.
        n: the length of a vector, or a shape.
        what: what the value is, for the message.

    Returns:
        The numbers as float64, of shape `n`.
    """
    shape = n if isinstance(n, tuple) else (n,)
    values = _real_vector(actual, shape, what)
    if values.shape != shape:
        fail(what, f"expected shape {shape}, got {values.shape}")
    if _cells.family(values) not in ("float", "integer"):
        fail(what, f"expected numbers, got dtype {values.dtype}")
    bad = _cells.missing(values.ravel() if values.ndim > 1 else values)
    numbers: npt.NDArray[np.float64] = np.zeros(shape)
    if not bad.any():
        numbers = np.asarray(values, dtype=np.float64)
        bad = ~np.isfinite(numbers).ravel()
    if bad.any():
        first = int(np.argmax(bad))
        count = np.count_nonzero(bad)
        fail(what, f"expected finite numbers, {count} of {bad.size} are not, the first at {first}")
    return numbers


def _real_vector(actual: Any, shape: tuple[int, ...], what: str) -> Any:  # noqa: ANN401 - any data
    """Take an array, the array of a series, or a list of numbers as an array."""
    if type(actual) is np.ndarray:
        return actual
    if type(actual) is pd.Series:
        return actual._values  # noqa: SLF001 - .array wraps plain arrays
    if not isinstance(actual, list | tuple):
        fail(what, f"expected an array of numbers, got {_got(actual)}")
    if len(actual) != shape[0]:
        fail(what, f"expected {shape[0]} numbers, got {len(actual)}")
    odd = [item for item in actual if type(item) is bool or not isinstance(item, _REAL)]
    if odd:
        fail(what, f"expected numbers, got {show(odd[0])} among them")
    try:
        return np.array(actual, dtype=np.float64)
    except OverflowError:
        fail(what, "expected finite numbers, got an int beyond every float")


def _got(actual: object) -> str:
    shown = show(actual)
    return shown if actual is None or shown == kind(actual) else f"{kind(actual)}: {shown}"
