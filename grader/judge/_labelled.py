"""The first difference between two frames, series or indexes.

The order is fixed: size, row labels, column labels, dtypes, then values; nothing is aligned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas  # noqa: ICN001 - the name pd is taken below

from grader.judge import _cells
from grader.judge._difference import CONTAINERS, Rules, difference
from grader.judge._show import cell, show

pd: Any = pandas  # its stubs know nothing of arrays' insides
_STRICT = Rules()


def labelled_difference(actual: Any, expected: Any, rules: Rules, at: str) -> str | None:  # noqa: ANN401 - pandas
    """Say what differs first between two frames, series or indexes inside another value."""
    options = Options(rtol=rules.rtol, atol=rules.atol, dtype=not rules.numbers)
    if isinstance(expected, pd.DataFrame):
        found = options.frame(actual, expected)
    elif isinstance(expected, pd.Series):
        found = options.series(actual, expected)
    else:
        found = options.labels(actual, expected, "")
    return f"at {at}: {found}" if found and at else found


@dataclass(frozen=True)
class Options:
    """What counts when labelled data is compared; each method says what differs first, or None.

    Attributes:
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        dtype: compare dtypes.
        index: compare row labels.
        names: compare the names of indexes and series.
        order: compare the order of columns.
        equivalent: accept other dtypes for the same kind of values.
    """

    rtol: float = 0.0
    atol: float = 0.0
    dtype: bool = True
    index: bool = True
    names: bool = True
    order: bool = True
    equivalent: bool = False

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
        if self.names and difference(actual.name, expected.name, _STRICT):
            return f"expected the name {show(expected.name)}, got {show(actual.name)}"
        left, right = actual._values, expected._values  # noqa: SLF001 - .array wraps plain arrays
        return self._dtypes(left, right) or self._values(left, right, expected.index, "rows")

    def labels(self, actual: Any, expected: Any, what: str) -> str | None:  # noqa: ANN401 - indexes
        if len(actual) != len(expected):
            return f"{what}expected {len(expected)} labels, got {len(actual)}"
        if actual.nlevels != expected.nlevels:
            return f"{what}expected {expected.nlevels} levels, got {actual.nlevels}"
        if self.names and difference(list(actual.names), list(expected.names), _STRICT):
            ours, theirs = show(list(actual.names)), show(list(expected.names))
            return f"{what}expected the names {theirs}, got {ours}"
        exact = Options(dtype=self.dtype, equivalent=self.equivalent)
        for level in range(expected.nlevels):
            left = actual.get_level_values(level)._values  # noqa: SLF001 - .array wraps plain arrays
            right = expected.get_level_values(level)._values  # noqa: SLF001 - the same
            found = exact._dtypes(left, right) or exact._values(left, right, None, "labels")
            if found:
                return f"{what}{found}"
        return None

    def _rows(self, actual: Any, expected: Any) -> str | None:  # noqa: ANN401 - labelled
        return self.labels(actual.index, expected.index, "index: ") if self.index else None

    def _columns(self, actual: Any, expected: Any) -> tuple[list[int], str | None]:  # noqa: ANN401 - indexes
        """Find where each expected column is; the labels count, not the dtype that holds them."""
        ours, theirs = list(actual), list(expected)
        straight = list(range(len(theirs)))
        if self.names and difference(list(actual.names), list(expected.names), _STRICT):
            due, got = show(list(expected.names)), show(list(actual.names))
            return [], f"expected the column names {due}, got {got}"
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
        if self.order:
            return [], f"columns in another order: {found}"
        return order, None

    def _dtypes(self, actual: Any, expected: Any) -> str | None:  # noqa: ANN401 - arrays
        if not self.dtype or _cells.same_dtype(actual, expected):
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


CONTAINERS.append(((pd.DataFrame, pd.Series, pd.Index), labelled_difference))
