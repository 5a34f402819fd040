"""Fraud detection framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Callable, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import average_precision_score

T = TypeVar("T")


class Registry(Generic[T]):
    """Generic registry of named factories."""

    def __init__(self) -> None:
        self._items: dict[str, Callable[..., T]] = {}

    def register(self, name: str) -> Callable:
        def decorator(factory: Callable[..., T]) -> Callable[..., T]:
            self._items[name] = factory
            return factory

        return decorator

    def create(self, name: str, **kwargs: Any) -> T:
        if name not in self._items:
            raise KeyError(f"Unknown component: {name}")
        return self._items[name](**kwargs)


class SplitStrategy(ABC):
    """Interface for splitters."""

    @abstractmethod
    def split(self, df: pd.DataFrame) -> list[tuple[list, list]]: ...


class FeatureStep(ABC):
    """Interface for feature steps."""

    @abstractmethod
    def fit(self, df: pd.DataFrame, y: pd.Series) -> FeatureStep: ...

    @abstractmethod
    def transform(self, df: pd.DataFrame) -> pd.DataFrame: ...


class Estimator(Protocol):
    def fit(self, X: Any, y: Any) -> Any: ...

    def predict_proba(self, X: Any) -> np.ndarray: ...


SPLITTERS: Registry[SplitStrategy] = Registry()
FEATURES: Registry[FeatureStep] = Registry()
ESTIMATORS: Registry[Estimator] = Registry()


@SPLITTERS.register("new_card_temporal")
class NewCardTemporalSplit(SplitStrategy):
    """Past payments in train, later payments of unseen cards in test."""

    def __init__(self, quantile: float = 0.6) -> None:
        self.quantile = quantile

    def split(self, df: pd.DataFrame) -> list[tuple[list, list]]:
        cutoff = df["paid_at"].quantile(self.quantile)
        past = df[df["paid_at"] < cutoff]
        future = df[df["paid_at"] >= cutoff]
        unseen = future[~future["card_id"].isin(past["card_id"].unique())]
        return [(past.index.tolist(), unseen.index.tolist())]


@FEATURES.register("numeric")
class NumericStep(FeatureStep):
    """Median imputation of numeric columns."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def fit(self, df: pd.DataFrame, y: pd.Series) -> NumericStep:
        self.medians_ = df[self.columns].median().fillna(0)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return df[self.columns].astype(float).fillna(self.medians_)


@FEATURES.register("time")
class TimeStep(FeatureStep):
    """Hour and weekday."""

    def fit(self, df: pd.DataFrame, y: pd.Series) -> TimeStep:
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {"hour": df["paid_at"].dt.hour, "weekday": df["paid_at"].dt.day_of_week}
        ).fillna(-1)


@FEATURES.register("rate")
class SmoothedRateStep(FeatureStep):
    """Smoothed fraud rate of each category."""

    def __init__(self, columns: list[str], prior_weight: float = 30.0) -> None:
        self.columns = columns
        self.prior_weight = prior_weight

    def fit(self, df: pd.DataFrame, y: pd.Series) -> SmoothedRateStep:
        self.prior_ = y.mean()
        self.rates_ = {}
        for column in self.columns:
            stats = y.groupby(df[column]).agg(["sum", "count"])
            self.rates_[column] = (stats["sum"] + self.prior_weight * self.prior_) / (
                stats["count"] + self.prior_weight
            )
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {c + "_rate": df[c].map(self.rates_[c]).astype(float) for c in self.columns}
        ).fillna(self.prior_)


@ESTIMATORS.register("gbm")
def build_gbm(**params: Any) -> Estimator:
    return GradientBoostingClassifier(**params)


@dataclass
class ModelConfig:
    numeric: list[str] = field(
        default_factory=lambda: [
            "amount_eur", "minutes_since_last", "distance_km", "device_age_days",
            "card_age_days", "failed_pins_24h", "credit_limit_eur",
        ]
    )
    categorical: list[str] = field(
        default_factory=lambda: ["merchant_id", "merchant_category", "channel", "country"]
    )
    estimator: str = "gbm"
    estimator_params: dict[str, Any] = field(
        default_factory=lambda: {"n_estimators": 120, "max_depth": 3, "random_state": 7}
    )
    splitter: str = "new_card_temporal"
    target: str = "is_fraud"


class FraudModel:
    def __init__(self, steps: list[FeatureStep], estimator: Estimator) -> None:
        self._steps = steps
        self._estimator = estimator

    def fit(self, df: pd.DataFrame, y: pd.Series) -> FraudModel:
        for step in self._steps:
            step.fit(df, y)
        self._estimator.fit(self._features(df), y)
        return self

    def score(self, df: pd.DataFrame) -> np.ndarray:
        return self._estimator.predict_proba(self._features(df))[:, 1]

    def _features(self, df: pd.DataFrame) -> np.ndarray:
        return pd.concat([step.transform(df) for step in self._steps], axis=1).to_numpy()


class FraudModelBuilder:
    """Builds a model from the config."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._steps: list[FeatureStep] = []

    def with_numeric(self) -> FraudModelBuilder:
        self._steps.append(FEATURES.create("numeric", columns=self._config.numeric))
        return self

    def with_time(self) -> FraudModelBuilder:
        self._steps.append(FEATURES.create("time"))
        return self

    def with_rates(self) -> FraudModelBuilder:
        self._steps.append(FEATURES.create("rate", columns=self._config.categorical))
        return self

    def build(self) -> FraudModel:
        estimator = ESTIMATORS.create(self._config.estimator, **self._config.estimator_params)
        return FraudModel(self._steps, estimator)


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    return SPLITTERS.create(ModelConfig().splitter).split(df)


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict[str, Any]:
    config = ModelConfig()
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = FraudModelBuilder(config).with_numeric().with_time().with_rates().build()
        model.fit(train.drop(columns=config.target), train[config.target])
        scores = predict(model, test.drop(columns=config.target))
        results.append({
            "train_ids": train_ids, "test_ids": test_ids, "model": model,
            "test_score": float(average_precision_score(test[config.target], scores)),
        })
    value = float(np.mean([r["test_score"] for r in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: FraudModel, raw_df: pd.DataFrame) -> np.ndarray:
    return model.score(raw_df)
