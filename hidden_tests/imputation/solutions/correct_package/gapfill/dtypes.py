"""What counts as numeric, and what a filled column looks like."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

INTEGERS: Final = frozenset(
    f"{prefix}{bits}" for prefix in ("int", "uint", "Int", "UInt") for bits in (8, 16, 32, 64)
)
FLOATS: Final = frozenset({"float32", "float64", "Float32", "Float64"})
NUMERIC: Final = INTEGERS | FLOATS


def is_numeric(column: pd.Series) -> bool:
    """Tell whether gaps in `column` are to be filled."""
    return column.dtype.name in NUMERIC


def is_integer(column: pd.Series) -> bool:
    """Tell whether `column` holds integers only."""
    return column.dtype.name in INTEGERS


def target_dtype(column: pd.Series, value: float) -> str:
    """Name of the dtype that `column` has once `value` is in its gaps.

    That is its own, except for integers that cannot take the value: it is not whole, or
    (learned from a wider column) too large.
    """
    name = column.dtype.name
    if not is_integer(column):
        return name
    if not value.is_integer():
        return "Float64"
    limits = np.iinfo(name.lower())
    return name if limits.min <= value <= limits.max else "Int64"
