"""
Missing Value Handling Module
=============================

This module provides a comprehensive and robust solution for reporting and imputing
missing values in pandas DataFrames, while carefully preventing data leakage.

Functions:
    missing_report: Generates a comprehensive report of missing values.
    impute: Imputes missing numeric values using the median.

Classes:
    MedianImputer: A robust, leakage-free median imputer.
"""

from __future__ import annotations

# Standard library imports
import logging
from typing import Any, Dict, List, Optional

# Third-party imports
import numpy as np
import pandas as pd

# Configure the logger
logger = logging.getLogger(__name__)


def _validate_dataframe(df: Any) -> None:
    """
    Validate that the input is a valid DataFrame.

    Args:
        df (Any): The input to validate.

    Returns:
        None

    Raises:
        TypeError: If the input is not a DataFrame.
        ValueError: If the DataFrame has duplicate columns.
    """
    # Check if the input is a DataFrame
    if not isinstance(df, pd.DataFrame):
        # Raise a TypeError if it is not
        raise TypeError(f"Expected a pandas DataFrame, but got {type(df).__name__}")
    # Check if there are duplicate columns
    if df.columns.duplicated().any():
        # Raise a ValueError if there are
        raise ValueError("DataFrame contains duplicate column names")


def _is_numeric_column(series: pd.Series) -> bool:
    """
    Check if a Series is numeric.

    Args:
        series (pd.Series): The Series to check.

    Returns:
        bool: True if the Series is numeric, False otherwise.
    """
    # Exclude boolean columns
    if pd.api.types.is_bool_dtype(series):
        return False
    # Exclude timedelta columns
    if pd.api.types.is_timedelta64_dtype(series):
        return False
    # Check if the column is numeric
    return pd.api.types.is_numeric_dtype(series)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """
    Generate a comprehensive report of missing values.

    Args:
        df (pd.DataFrame): The input DataFrame.

    Returns:
        pd.DataFrame: A DataFrame containing the report.
    """
    # Validate the input
    _validate_dataframe(df)
    # Calculate the number of missing values per column
    n_missing = df.isna().sum().astype("int64")
    # Calculate the total number of rows
    total_rows = len(df)
    # Calculate the percentage of missing values, avoiding division by zero
    if total_rows > 0:
        pct_missing = (n_missing / total_rows) * 100
    else:
        pct_missing = pd.Series(0.0, index=df.columns)
    # Create the report DataFrame
    report = pd.DataFrame(
        {
            "n_missing": n_missing,  # Number of missing values
            "pct_missing": pct_missing.astype("float64"),  # Percentage of missing values
            "dtype": df.dtypes.astype(str),  # Data type of the column
        }
    )
    # Sort by the number of missing values in descending order
    report = report.sort_values(by="n_missing", ascending=False, kind="stable")
    # Return the report
    return report


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """
    Impute missing numeric values using the median.

    Args:
        df (pd.DataFrame): The input DataFrame.

    Returns:
        pd.DataFrame: A new DataFrame with imputed values.
    """
    # Create an instance of the imputer
    imputer = MedianImputer()
    # Fit and transform the data
    return imputer.fit_transform(df)


class MedianImputer:
    """
    A robust, leakage-free median imputer.

    Attributes:
        medians_ (Optional[Dict[Any, float]]): The learned medians.
        is_fitted_ (bool): Whether the imputer has been fitted.
    """

    def __init__(self) -> None:
        """Initialize the MedianImputer."""
        # Initialize the medians
        self.medians_: Optional[Dict[Any, float]] = None
        # Initialize the fitted flag
        self.is_fitted_: bool = False

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """
        Fit the imputer on the training data.

        Args:
            df (pd.DataFrame): The training data.

        Returns:
            MedianImputer: The fitted imputer.
        """
        # Validate the input
        _validate_dataframe(df)
        # Reset the medians
        self.medians_ = {}
        # Iterate over all columns
        for column in df.columns:
            # Only process numeric columns
            if _is_numeric_column(df[column]):
                try:
                    # Calculate the median
                    median = df[column].median()
                    # Only store valid medians
                    if pd.notna(median):
                        self.medians_[column] = float(median)
                except (TypeError, ValueError) as e:
                    # Log a warning if the calculation fails
                    logger.warning("Could not compute median for %s: %s", column, e)
        # Mark the imputer as fitted
        self.is_fitted_ = True
        # Return self for method chaining
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """
        Transform the data using the learned medians.

        Args:
            df (pd.DataFrame): The data to transform.

        Returns:
            pd.DataFrame: A new DataFrame with imputed values.
        """
        # Check if the imputer is fitted
        if not self.is_fitted_ or self.medians_ is None:
            raise RuntimeError("MedianImputer is not fitted yet. Please call fit() first.")
        # Validate the input
        _validate_dataframe(df)
        # Create a copy to avoid modifying the original DataFrame
        result = df.copy()
        # Iterate over the learned medians
        for column, median in self.medians_.items():
            # Skip columns that are not present, not numeric or complete
            if column not in result.columns or not _is_numeric_column(result[column]):
                continue
            if not result[column].isna().any():
                continue
            # Remember the original dtype
            original_dtype = result[column].dtype
            try:
                # Fill the missing values
                result[column] = result[column].fillna(median).astype(original_dtype)
            except (TypeError, ValueError):
                # Fall back to Float64 if the median is fractional
                result[column] = result[column].astype("Float64").fillna(median)
        # Return the result
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """
        Fit the imputer and transform the data in one step.

        Args:
            df (pd.DataFrame): The input data.

        Returns:
            pd.DataFrame: A new DataFrame with imputed values.
        """
        # Fit and then transform
        return self.fit(df).transform(df)
