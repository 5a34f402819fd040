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
import pandas

from grader.judge import _cells
from grader.judge._difference import Rules, array_difference, difference
from grader.judge._show import cell, fail, kind, name_of, show

__all__ = [
    "assert_array",
    "assert_finite",
    "assert_frame",
    "assert_kind",
    "assert_series",
    "assert_value",
]

pd: Any = pandas  # its stubs know nothing of arrays' insides
_STRICT = Rules()
_REAL = (int, float, np.integer, np.floating)


def assert_kind(actual: object, kind: type | tuple[type, ...], what: str = "result") -> None:  # noqa: A002 - reads as a sentence at the call
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
    options = _Options(rtol, atol, check_dtype, check_index, check_names, check_column_order, equivalent_dtypes)
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
    options = _Options(rtol, atol, check_dtype, check_index, check_names, True, equivalent_dtypes)
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
    values: Any = actual
    if type(actual) is pd.Series:
        values = values._values  # noqa: SLF001 - .array wraps plain arrays
    elif type(actual) in (list, tuple):
        if len(values) != shape[0]:
            fail(what, f"expected {shape[0]} numbers, got {len(values)}")
        odd = [item for item in values if type(item) is bool or not isinstance(item, _REAL)]
        if odd:
            fail(what, f"expected numbers, got {show(odd[0])} among them")
        try:
            values = np.array(values, dtype=np.float64)
        except (OverflowError, ValueError):
            fail(what, "expected finite numbers, got an int beyond every float")
    elif type(actual) is not np.ndarray:
        fail(what, f"expected an array of numbers, got {_got(actual)}")
    if values.shape != shape:
        fail(what, f"expected shape {shape}, got {values.shape}")
    family = _cells.family(values)
    if family not in ("float", "integer"):
        fail(what, f"expected numbers, got dtype {values.dtype}")
    missing = _cells.missing(values.ravel() if values.ndim > 1 else values)
    if not missing.any():
        numbers = np.asarray(values, dtype=np.float64)
        finite = np.isfinite(numbers)
        if finite.all():
            return numbers
        missing = ~finite.ravel()
    first = int(np.argmax(missing))
    fail(what, f"expected finite numbers, {np.count_nonzero(missing)} of {missing.size} are not, the first at {first}")


def labelled_difference(actual: Any, expected: Any, rules: Rules, at: str) -> str | None:  # noqa: ANN401 - pandas
    """Say what differs first between two frames, series or indexes inside another value."""
    options = _Options(rules.rtol, rules.atol, not rules.numbers)
    if isinstance(expected, pd.DataFrame):
        found = options.frame(actual, expected)
    elif isinstance(expected, pd.Series):
        found = options.series(actual, expected)
    else:
        found = options.index(actual, expected, "")
    return f"at {at}: {found}" if found and at else found


def _got(actual: object) -> str:
    shown = show(actual)
    return shown if actual is None or shown == kind(actual) else f"{kind(actual)}: {shown}"


class _Options:
    """How to compare labelled data; each method says what differs first, or None."""

    def __init__(
        self,
        rtol: float,
        atol: float,
        check_dtype: bool,
        check_index: bool = True,
        check_names: bool = True,
        check_order: bool = True,
        equivalent: bool = False,
    ) -> None:
        self.rtol = rtol
        self.atol = atol
        self.check_dtype = check_dtype
        self.check_index = check_index
        self.check_names = check_names
        self.check_order = check_order
        self.equivalent = equivalent

    def frame(self, actual: Any, expected: Any) -> str | None:  # noqa: ANN401 - frames
        if actual.shape != expected.shape:
            return f"expected {_size(expected)}, got {_size(actual)}"
        found = self._rows(actual, expected)
        if found:
            return found
        places, found = self._columns(actual.columns, expected.columns)
        if found:
            return found
        pairs = [
            (label, actual.iloc[:, place]._values, expected.iloc[:, at]._values)  # noqa: SLF001 - .array wraps plain arrays
            for at, (label, place) in enumerate(zip(expected.columns, places, strict=True))
        ]
        for label, left, right in pairs:
            found = self._dtypes(left, right)
            if found:
                return f"column {show(label)}: {found}"
        masks = [self._differing(left, right) for _, left, right in pairs]
        count = sum(int(np.count_nonzero(mask)) for mask in masks)
        for (label, left, right), mask in zip(pairs, masks, strict=True):
            if mask.any():
                row = int(np.argmax(mask))
                return (
                    f"{count} of {expected.size} cells differ, the first in column {show(label)}, "
                    f"row {cell(expected.index[row])}: "
                    f"expected {cell(right[row])}, got {cell(left[row])}"
                )
        return None

    def series(self, actual: Any, expected: Any) -> str | None:  # noqa: ANN401 - series
        if len(actual) != len(expected):
            return f"expected {len(expected)} rows, got {len(actual)}"
        found = self._rows(actual, expected)
        if found:
            return found
        if self.check_names and difference(actual.name, expected.name, _STRICT):
            return f"expected the name {show(expected.name)}, got {show(actual.name)}"
        left, right = actual._values, expected._values  # noqa: SLF001 - .array wraps plain arrays
        return self._dtypes(left, right) or self._values(left, right, expected.index, "rows")

    def index(self, actual: Any, expected: Any, what: str) -> str | None:  # noqa: ANN401 - indexes
        if len(actual) != len(expected):
            return f"{what}expected {len(expected)} labels, got {len(actual)}"
        if actual.nlevels != expected.nlevels:
            return f"{what}expected {expected.nlevels} levels, got {actual.nlevels}"
        if self.check_names and difference(list(actual.names), list(expected.names), _STRICT):
            return f"{what}expected the names {show(list(expected.names))}, got {show(list(actual.names))}"
        exact = _Options(0.0, 0.0, self.check_dtype, equivalent=self.equivalent)
        for level in range(expected.nlevels):
            left = actual.get_level_values(level)._values  # noqa: SLF001 - .array wraps plain arrays
            right = expected.get_level_values(level)._values  # noqa: SLF001 - the same
            found = exact._dtypes(left, right) or exact._values(left, right, None, "labels")
            if found:
                return f"{what}{found}"
        return None

    def _rows(self, actual: Any, expected: Any) -> str | None:  # noqa: ANN401 - labelled
        return self.index(actual.index, expected.index, "index: ") if self.check_index else None

    def _columns(self, actual: Any, expected: Any) -> tuple[list[int], str | None]:  # noqa: ANN401 - indexes
        """Find where each expected column is; the labels count, not the dtype that holds them."""
        ours, theirs = list(actual), list(expected)
        straight = list(range(len(theirs)))
        if self.check_names and difference(list(actual.names), list(expected.names), _STRICT):
            return [], f"expected the column names {show(list(expected.names))}, got {show(list(actual.names))}"
        found = difference(ours, theirs, Rules(missing=True))
        if found is None:
            return straight, None
        keys = list(map(_label_key, ours))
        places = {key: place for place, key in enumerate(keys)}
        order = [places.get(_label_key(label), -1) for label in theirs]
        if sorted(order) != straight or difference(
            [ours[place] for place in order], theirs, Rules(missing=True)
        ):
            return [], f"columns: {found}"
        if self.check_order:
            return [], f"columns in another order: {found}"
        return order, None

    def _dtypes(self, actual: Any, expected: Any) -> str | None:  # noqa: ANN401 - arrays
        if not self.check_dtype or _cells.same_dtype(actual, expected):
            return None
        if self.equivalent and _cells.same_family(actual, expected):
            return None
        return f"expected dtype {_dtype(expected)}, got {_dtype(actual)}"

    def _values(self, actual: Any, expected: Any, labels: Any, what: str) -> str | None:  # noqa: ANN401 - arrays
        mask = self._differing(actual, expected)
        if not mask.any():
            return None
        row = int(np.argmax(mask))
        place = f"at {row}" if labels is None else f"at row {cell(labels[row])}"
        return (
            f"{np.count_nonzero(mask)} of {len(expected)} {what} differ, the first {place}: "
            f"expected {cell(expected[row])}, got {cell(actual[row])}"
        )

    def _differing(self, actual: Any, expected: Any) -> _cells.Mask:  # noqa: ANN401 - arrays
        alike = _cells.same_dtype(actual, expected)
        rules = Rules(self.rtol, self.atol, numbers=not alike, missing=not alike)
        return _cells.differing(
            actual, expected, self.rtol, self.atol, lambda a, e: difference(a, e, rules) is None
        )


def _label_key(label: object) -> tuple[str, str]:
    return type(label).__name__, show(label)


def _size(frame: Any) -> str:  # noqa: ANN401 - a DataFrame
    rows, columns = frame.shape
    return f"{rows} rows and {columns} columns"


def _dtype(values: Any) -> str:  # noqa: ANN401 - an array
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        order = "ordered " if dtype.ordered else ""
        count = 0 if dtype.categories is None else len(dtype.categories)
        return f"{order}category ({count} categories)"
    if isinstance(dtype, pd.StringDtype):
        return f"{dtype} ({dtype.storage}, {dtype.na_value})"
    return str(dtype)[:80]
