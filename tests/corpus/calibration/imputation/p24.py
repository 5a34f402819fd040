"""
Missing value reporting and median imputation.

This module provides:
    - missing_report: a per-column overview of missing values
    - impute: one-shot median imputation
    - MedianImputer: a fit/transform style imputer that avoids data leakage
"""

from __future__ import annotations

from typing import Any, Dict, Optional

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype


def _validate_dataframe(df: Any) -> None:
    """Validate the input.

    Args:
        df: The object to validate.

    Raises:
        TypeError: If df is not a pandas DataFrame.
        ValueError: If df contains duplicate column names.
    """
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"Expected a pandas DataFrame, but got {type(df).__name__}.")

    if df.columns.duplicated().any():
        duplicates = list(df.columns[df.columns.duplicated()])
        raise ValueError(f"DataFrame contains duplicate column names: {duplicates}")


def _is_numeric(series: pd.Series) -> bool:
    """Return True if the series is an integer or float column.

    Args:
        series: The column to check.

    Returns:
        True for integers and floats (NumPy or nullable), False otherwise.
    """
    dtype = series.dtype
    if is_bool_dtype(dtype):
        return False
    if isinstance(dtype, pd.CategoricalDtype):
        return False
    return is_integer_dtype(dtype) or is_float_dtype(dtype)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Create a report of the missing values in each column.

    Args:
        df: The DataFrame to analyse.

    Returns:
        A DataFrame indexed by column name with the columns n_missing,
        pct_missing and dtype, sorted by n_missing in descending order.
    """
    _validate_dataframe(df)

    # Count the missing values in each column
    n_rows = len(df)
    n_missing = df.isna().sum().astype("int64")

    # Calculate the percentage, guarding against division by zero
    if n_rows > 0:
        pct_missing = (n_missing / n_rows * 100).astype("float64")
    else:
        pct_missing = pd.Series(0.0, index=df.columns, dtype="float64")

    # Build the report
    report = pd.DataFrame(
        {
            "n_missing": n_missing,
            "pct_missing": pct_missing,
            "dtype": df.dtypes.astype(str),
        }
    )

    # Use a stable sort so that ties keep their original order
    return report.sort_values(by="n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill missing numeric values with the median of their column.

    Args:
        df: The DataFrame to impute.

    Returns:
        A new DataFrame with the missing numeric values filled.
    """
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Impute missing numeric values with medians learned during fit.

    Attributes:
        medians_: Mapping from column name to median, or None before fit.
    """

    def __init__(self) -> None:
        """Initialise the imputer."""
        self.medians_: Optional[Dict[Any, float]] = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the median of each numeric column.

        Args:
            df: The training DataFrame.

        Returns:
            The fitted imputer.
        """
        _validate_dataframe(df)

        medians: Dict[Any, float] = {}
        for column in df.columns:
            series = df[column]
            if not _is_numeric(series):
                continue
            # Skip columns that are entirely missing
            if series.notna().sum() == 0:
                continue
            medians[column] = float(series.median())

        self.medians_ = medians
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill the missing values with the learned medians.

        Args:
            df: The DataFrame to transform.

        Returns:
            A new DataFrame with missing numeric values filled.

        Raises:
            RuntimeError: If the imputer has not been fitted.
        """
        if self.medians_ is None:
            raise RuntimeError("MedianImputer is not fitted yet. Call fit() first.")
        _validate_dataframe(df)

        # Work on a copy to avoid modifying the input
        result = df.copy()
        for column, median in self.medians_.items():
            if column not in result.columns:
                continue
            series = result[column]
            if not _is_numeric(series) or not series.isna().any():
                continue
            # Integer columns cannot hold a fractional median
            if is_integer_dtype(series.dtype):
                if median.is_integer():
                    result[column] = series.fillna(int(median))
                else:
                    result[column] = series.astype("Float64").fillna(median)
            else:
                result[column] = series.fillna(median)

        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fit the imputer on df and transform it.

        Args:
            df: The DataFrame to fit on and transform.

        Returns:
            The imputed DataFrame.
        """
        return self.fit(df).transform(df)
