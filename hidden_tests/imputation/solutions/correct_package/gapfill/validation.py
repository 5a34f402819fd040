"""The two things that every function of this package refuses."""

from __future__ import annotations

import pandas as pd


class DuplicateColumnsError(ValueError):
    """A column name repeats, so that a column cannot be told by its name."""


class NotADataFrameError(TypeError):
    """The argument is something else than a DataFrame."""


def check_frame(df: object) -> None:
    """Raise unless `df` is a DataFrame in which no column name repeats.

    :raises NotADataFrameError: `df` is anything but a DataFrame.
    :raises DuplicateColumnsError: at least one column name repeats.
    """
    if not isinstance(df, pd.DataFrame):
        raise NotADataFrameError(
            f"df must be a pandas.DataFrame, but is a {type(df).__qualname__}"
        )
    duplicated = df.columns.duplicated(keep="first")
    if duplicated.any():
        names = ", ".join(sorted({repr(name) for name in df.columns[duplicated]}))
        raise DuplicateColumnsError(f"column names must be unique; repeated: {names}")
