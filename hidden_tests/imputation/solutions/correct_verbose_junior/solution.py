import pandas as pd
import numpy as np


def check_input(df):
    # the task sheet says TypeError for everything that is not a dataframe
    if isinstance(df, pd.DataFrame) == False:
        raise TypeError("Input must be a pandas DataFrame!")
    # and ValueError for duplicate columns
    seen_columns = []
    for column_name in df.columns:
        if column_name in seen_columns:
            raise ValueError("Duplicate column name: " + str(column_name))
        seen_columns.append(column_name)


def is_number_column(column):
    # int8, int16, ..., uint64, float32, float64 and the nullable versions of them
    if column.dtype == "category":
        return False
    dtype_name = str(column.dtype).lower()
    if dtype_name.startswith("int") and not dtype_name.startswith("interval"):
        return True
    if dtype_name.startswith("uint"):
        return True
    if dtype_name.startswith("float"):
        return True
    return False


def missing_report(df):
    """Makes a table of missing values."""
    check_input(df)
    names = []
    numbers = []
    percents = []
    types = []
    for column_name in df.columns:
        number_missing = 0
        for value_is_missing in df[column_name].isna().values:
            if value_is_missing:
                number_missing = number_missing + 1
        if len(df) > 0:
            percent = number_missing / len(df) * 100
        else:
            percent = 0.0
        names.append(column_name)
        numbers.append(number_missing)
        percents.append(percent)
        types.append(str(df[column_name].dtype))
    report = pd.DataFrame()
    report["n_missing"] = pd.Series(numbers, dtype="int64")
    report["pct_missing"] = pd.Series(percents, dtype="float64")
    report["dtype"] = pd.Series(types, dtype="object")
    report.index = names
    report = report.sort_values("n_missing", ascending=False, kind="stable")
    return report


def get_median(column):
    values = []
    for value in column.dropna():
        values.append(float(value))
    if len(values) == 0:
        return None
    return float(np.median(values))


def fill_column(column, median):
    if column.isna().sum() == 0:
        return column
    if "int" in str(column.dtype).lower():
        # median of integers can be 1.5
        if median == int(median):
            return column.fillna(int(median))
        else:
            return column.astype("Float64").fillna(median)
    old_dtype = column.dtype
    new_column = column.fillna(median)
    return new_column.astype(old_dtype)


def impute(df):
    """Fills missing numbers with the median."""
    imputer = MedianImputer()
    imputer.fit(df)
    result = imputer.transform(df)
    return result


class MedianImputer:
    """Learns medians in fit and uses them in transform."""

    def __init__(self):
        self.medians = {}
        self.is_fitted = False

    def fit(self, df):
        check_input(df)
        self.medians = {}
        for column_name in df.columns:
            if is_number_column(df[column_name]):
                median = get_median(df[column_name])
                if median is not None:
                    self.medians[column_name] = median
        self.is_fitted = True
        return self

    def transform(self, df):
        if not self.is_fitted:
            raise ValueError("The imputer is not fitted. Please call fit first.")
        check_input(df)
        df_copy = df.copy()
        for column_name in df_copy.columns:
            if column_name in self.medians:
                if is_number_column(df_copy[column_name]):
                    median = self.medians[column_name]
                    df_copy[column_name] = fill_column(df_copy[column_name], median)
        return df_copy

    def fit_transform(self, df):
        self.fit(df)
        return self.transform(df)
