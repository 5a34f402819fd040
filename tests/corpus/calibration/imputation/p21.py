"""Missing value handling."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional

import pandas as pd
from pandas.api import types as pdt


class Constants:
    N_MISSING = "n_missing"
    PCT_MISSING = "pct_missing"
    DTYPE = "dtype"
    HUNDRED = 100.0


class ColumnChecker(ABC):
    @abstractmethod
    def accepts(self, series: pd.Series) -> bool:
        ...


class NumericColumnChecker(ColumnChecker):
    """Checks whether a column is numeric."""

    def accepts(self, series: pd.Series) -> bool:
        if pdt.is_bool_dtype(series.dtype):
            return False
        elif pdt.is_integer_dtype(series.dtype):
            return True
        elif pdt.is_float_dtype(series.dtype):
            return True
        else:
            return False


class FrameValidator:
    """Validates frames."""

    @staticmethod
    def validate(obj: Any) -> None:
        if not isinstance(obj, pd.DataFrame):
            raise TypeError("Argument must be a pandas DataFrame")
        if obj.columns.has_duplicates:
            raise ValueError("DataFrame must not have repeated column names")


class MedianStore:
    """Holds the medians for the columns."""

    def __init__(self) -> None:
        self.__medians: Dict[Any, Any] = {}

    def get(self, column: Any) -> Optional[Any]:
        return self.__medians.get(column)

    def put(self, column: Any, value: Any) -> None:
        self.__medians[column] = value

    def contains(self, column: Any) -> bool:
        return column in self.__medians

    def getColumns(self) -> List[Any]:
        return list(self.__medians.keys())


class MedianStoreFactory:
    @staticmethod
    def createFrom(df: pd.DataFrame, checker: ColumnChecker) -> MedianStore:
        store = MedianStore()
        for column in df.columns:
            series = df[column]
            if checker.accepts(series):
                present = series.dropna()
                if len(present) > 0:
                    store.put(column, float(present.median()))
        return store


class ColumnFiller:
    """Fills a single column."""

    def __init__(self, checker: ColumnChecker) -> None:
        self._checker = checker

    def fill(self, series: pd.Series, value: float) -> pd.Series:
        if not self._checker.accepts(series):
            return series
        if not series.isna().any():
            return series
        if pdt.is_integer_dtype(series.dtype):
            if value == int(value):
                return series.fillna(int(value))
            else:
                return series.astype("Float64").fillna(value)
        return series.fillna(value)


class MedianImputer:
    """Median imputer with fit and transform."""

    def __init__(self) -> None:
        self._checker = NumericColumnChecker()
        self._filler = ColumnFiller(self._checker)
        self._store: Optional[MedianStore] = None

    def fit(self, df: pd.DataFrame) -> "MedianImputer":
        FrameValidator.validate(df)
        self._store = MedianStoreFactory.createFrom(df, self._checker)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        FrameValidator.validate(df)
        if self._store is None:
            raise RuntimeError("Imputer is not fitted, call fit() first")
        result = df.copy(deep=True)
        for column in df.columns:
            if self._store.contains(column):
                result[column] = self._filler.fill(df[column], self._store.get(column))
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        self.fit(df)
        return self.transform(df)


class MissingReportBuilder:
    """Builder for the report."""

    def __init__(self, df: pd.DataFrame) -> None:
        self._df = df

    def build(self) -> pd.DataFrame:
        counts = self._df.isna().sum().astype("int64")
        size = len(self._df)
        if size == 0:
            percents = counts.astype("float64") * 0.0
        else:
            percents = counts / size * Constants.HUNDRED
        report = pd.DataFrame(
            {
                Constants.N_MISSING: counts,
                Constants.PCT_MISSING: percents.astype("float64"),
                Constants.DTYPE: self._df.dtypes.astype(str),
            },
            index=self._df.columns,
        )
        return report.sort_values(Constants.N_MISSING, ascending=False, kind="stable")


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    FrameValidator.validate(df)
    builder = MissingReportBuilder(df)
    return builder.build()


def impute(df: pd.DataFrame) -> pd.DataFrame:
    imputer = MedianImputer()
    return imputer.fit_transform(df)
