"""Missing value report and median imputation, built on scikit-learn's SimpleImputer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer


def ensure_dataframe_is_acceptable(dataframe_to_check):
    """Raises if the argument is not a dataframe or has repeated column names."""
    argument_is_dataframe = isinstance(dataframe_to_check, pd.DataFrame)
    if not argument_is_dataframe:
        raise TypeError("The argument has to be a DataFrame")
    number_of_columns = len(dataframe_to_check.columns)
    number_of_unique_columns = len(dataframe_to_check.columns.unique())
    if number_of_columns != number_of_unique_columns:
        raise ValueError("The argument has repeated column names")


def find_numeric_column_names(dataframe):
    """Returns the names of integer and float columns that hold at least one value."""
    numeric_column_names = []
    for column_name in dataframe.columns:
        column_dtype = dataframe[column_name].dtype
        column_is_integer = pd.api.types.is_integer_dtype(column_dtype)
        column_is_float = pd.api.types.is_float_dtype(column_dtype)
        if column_is_integer or column_is_float:
            numeric_column_names.append(column_name)
    return numeric_column_names


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column."""
    ensure_dataframe_is_acceptable(df)

    number_of_rows = len(df)
    number_of_missing_values = df.isna().sum()
    number_of_missing_values = number_of_missing_values.astype("int64")

    if number_of_rows == 0:
        percentage_of_missing_values = np.zeros(len(df.columns))
    else:
        fraction_of_missing_values = number_of_missing_values / number_of_rows
        percentage_of_missing_values = fraction_of_missing_values * 100

    unsorted_report = pd.DataFrame(index=df.columns)
    unsorted_report["n_missing"] = number_of_missing_values
    unsorted_report["pct_missing"] = percentage_of_missing_values
    unsorted_report["dtype"] = df.dtypes.astype(str)

    sorted_report = unsorted_report.sort_values(by="n_missing", ascending=False, kind="stable")
    return sorted_report


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    median_imputer = MedianImputer()
    imputed_dataframe = median_imputer.fit_transform(df)
    return imputed_dataframe


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    def __init__(self) -> None:
        self.median_by_column_name = None
        self.simple_imputer = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        ensure_dataframe_is_acceptable(df)

        self.median_by_column_name = {}
        for column_name in find_numeric_column_names(df):
            column_as_float = df[column_name].astype("float64")
            column_has_values = column_as_float.notna().sum() > 0
            if column_has_values:
                # SimpleImputer wants a two-dimensional array and refuses infinity,
                # so infinities are replaced by very large numbers for it
                column_as_array = column_as_float.to_numpy().reshape(-1, 1)
                column_as_array = np.clip(column_as_array, -1e300, 1e300)
                self.simple_imputer = SimpleImputer(strategy="median")
                self.simple_imputer.fit(column_as_array)
                median_of_column = self.simple_imputer.statistics_[0]
                self.median_by_column_name[column_name] = float(median_of_column)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if self.median_by_column_name is None:
            raise NotFittedError("Please call fit before transform")
        ensure_dataframe_is_acceptable(df)

        transformed_dataframe = df.copy()
        for column_name in find_numeric_column_names(df):
            if column_name not in self.median_by_column_name:
                continue
            median_of_column = self.median_by_column_name[column_name]
            original_column = df[column_name]
            column_is_integer = pd.api.types.is_integer_dtype(original_column.dtype)
            median_is_whole = median_of_column == round(median_of_column)
            column_has_gaps = original_column.isna().sum() > 0

            if not column_has_gaps:
                continue
            if column_is_integer and not median_is_whole:
                column_as_nullable_float = original_column.astype("Float64")
                transformed_column = column_as_nullable_float.fillna(median_of_column)
            else:
                filled_column = original_column.fillna(median_of_column)
                transformed_column = filled_column.astype(original_column.dtype)
            transformed_dataframe[column_name] = transformed_column
        return transformed_dataframe

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        self.fit(df)
        transformed_dataframe = self.transform(df)
        return transformed_dataframe
