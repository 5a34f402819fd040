"""What a caller may hand in."""

import pandas as pd


def require_frame(df):
    """Refuse anything but a frame with unique column names."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError("expected a DataFrame")
    if not df.columns.is_unique:
        raise ValueError("column names repeat")


def is_numeric(column):
    """Integers and floats, not flags."""
    return column.dtype.kind in "iuf"
