"""Extensible missing value framework.

This module provides a pluggable architecture for reporting on and imputing missing values.
New strategies can be registered at any time through the :class:`StrategyRegistry`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable, Generic, Protocol, TypeVar

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

T = TypeVar("T")


class StrategyName(str, Enum):
    """Names of the available strategies."""

    MEDIAN = "median"


class Validator(Protocol):
    """Anything that can validate a frame."""

    def validate(self, df: Any) -> None: ...


class TypeValidator:
    """Validates the type of the argument."""

    def validate(self, df: Any) -> None:
        if not isinstance(df, pd.DataFrame):
            raise TypeError(f"Expected DataFrame, got {type(df)!r}")


class UniqueColumnsValidator:
    """Validates that columns are unique."""

    def validate(self, df: Any) -> None:
        if not df.columns.is_unique:
            raise ValueError("Column names must be unique")


@dataclass(frozen=True)
class ValidationChain:
    """Chain of responsibility over validators."""

    validators: tuple[Validator, ...] = field(
        default_factory=lambda: (TypeValidator(), UniqueColumnsValidator())
    )

    def run(self, df: Any) -> None:
        for validator in self.validators:
            validator.validate(df)


class ImputationStrategy(ABC, Generic[T]):
    """Base class of all strategies."""

    @abstractmethod
    def learn(self, column: pd.Series) -> T | None:
        """Learn a statistic from a column."""

    @abstractmethod
    def apply(self, column: pd.Series, statistic: T) -> pd.Series:
        """Apply the statistic to a column."""

    @abstractmethod
    def supports(self, column: pd.Series) -> bool:
        """Whether the strategy can handle the column."""


class StrategyRegistry:
    """Keeps track of strategies by name."""

    _strategies: dict[StrategyName, type[ImputationStrategy]] = {}

    @classmethod
    def register(cls, name: StrategyName) -> Callable[[type], type]:
        def decorator(strategy: type) -> type:
            cls._strategies[name] = strategy
            return strategy

        return decorator

    @classmethod
    def get(cls, name: StrategyName) -> type[ImputationStrategy]:
        try:
            return cls._strategies[name]
        except KeyError:
            raise ValueError(f"Unknown strategy: {name}") from None


@StrategyRegistry.register(StrategyName.MEDIAN)
class MedianStrategy(ImputationStrategy[float]):
    """Imputes with the median."""

    def learn(self, column: pd.Series) -> float | None:
        if column.notna().sum() == 0:
            return None
        return float(column.median())

    def apply(self, column: pd.Series, statistic: float) -> pd.Series:
        if is_integer_dtype(column.dtype) and not statistic.is_integer():
            return column.astype("Float64").fillna(statistic)
        return column.fillna(statistic).astype(column.dtype)

    def supports(self, column: pd.Series) -> bool:
        return is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype)


class StrategyFactory:
    """Creates strategies."""

    @staticmethod
    def create(name: StrategyName) -> ImputationStrategy:
        return StrategyRegistry.get(name)()


@dataclass
class ImputerState:
    """What an imputer has learned."""

    statistics: dict[Any, Any] = field(default_factory=dict)
    fitted: bool = False


class ReportBuilder:
    """Fluent builder of the report."""

    def __init__(self, df: pd.DataFrame) -> None:
        self._df = df
        self._parts: dict[str, pd.Series] = {}

    def with_counts(self) -> ReportBuilder:
        self._parts["n_missing"] = self._df.isna().sum().astype("int64")
        return self

    def with_percentages(self) -> ReportBuilder:
        rows = len(self._df) or 1
        self._parts["pct_missing"] = self._parts["n_missing"] / rows * 100.0
        return self

    def with_dtypes(self) -> ReportBuilder:
        self._parts["dtype"] = self._df.dtypes.astype(str)
        return self

    def build(self) -> pd.DataFrame:
        report = pd.DataFrame(self._parts)
        return report.sort_values("n_missing", ascending=False, kind="stable")


class BaseImputer:
    """Template for imputers: subclasses only choose a strategy."""

    strategy_name: StrategyName

    def __init__(self) -> None:
        self._strategy = StrategyFactory.create(self.strategy_name)
        self._validation = ValidationChain()
        self._state = ImputerState()

    def fit(self, df: pd.DataFrame) -> BaseImputer:
        self._validation.run(df)
        self._state = self._learn_state(df)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        self._ensure_fitted()
        self._validation.run(df)
        return self._apply_state(df.copy())

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)

    def _ensure_fitted(self) -> None:
        if not self._state.fitted:
            raise RuntimeError("Imputer is not fitted. Call fit() first.")

    def _learn_state(self, df: pd.DataFrame) -> ImputerState:
        state = ImputerState(fitted=True)
        for name in df.columns:
            if self._strategy.supports(df[name]):
                statistic = self._strategy.learn(df[name])
                if statistic is not None:
                    state.statistics[name] = statistic
        return state

    def _apply_state(self, df: pd.DataFrame) -> pd.DataFrame:
        for name, statistic in self._state.statistics.items():
            if name in df.columns and self._strategy.supports(df[name]):
                if df[name].isna().any():
                    df[name] = self._strategy.apply(df[name], statistic)
        return df


class MedianImputer(BaseImputer):
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    strategy_name = StrategyName.MEDIAN


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column."""
    ValidationChain().run(df)
    return ReportBuilder(df).with_counts().with_percentages().with_dtypes().build()


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)
