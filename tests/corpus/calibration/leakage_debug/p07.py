"""Score card payments for fraud, and measure the scores the way they will be used.

A model is trained on all payments up to some moment and tested on later payments of cards that it
has never seen. Whatever is learned from data (medians, category rates, the trees) is learned inside
`FraudModel.fit`, which only ever receives the training rows of one fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    Ids = Sequence[Hashable]

TARGET = "is_fraud"
# `review_minutes` is missing on purpose: it is known only after the review.
NUMERIC = (
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
)
CATEGORICAL = ("merchant_id", "merchant_category", "channel", "country")

TRAIN_SHARES = (0.5, 0.6, 0.7)
PRIOR_PAYMENTS = 20


@dataclass(frozen=True)
class RateEncoder:
    """Replaces a category by its fraud rate, shrunk towards the overall rate.

    Attributes:
        rates: shrunken fraud rate of each category that training held.
        default: overall fraud rate, for categories that are new or missing.
    """

    rates: pd.Series
    default: float

    @classmethod
    def fit(cls, values: pd.Series, labels: pd.Series) -> Self:
        default = float(labels.mean())
        by_category = labels.groupby(values)
        frauds = by_category.sum() + PRIOR_PAYMENTS * default
        return cls(frauds / (by_category.count() + PRIOR_PAYMENTS), default)

    def transform(self, values: pd.Series) -> pd.Series:
        return values.map(self.rates).astype(float).fillna(self.default)


class FraudModel:
    """Gradient boosting over a payment's numbers, its clock time and its category rates."""

    def __init__(self, seed: int = 7) -> None:
        self._encoders: dict[str, RateEncoder] = {}
        # Trees of this kind take missing numbers as they are: no imputation is needed.
        self._classifier = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=150, max_leaf_nodes=15, random_state=seed
        )

    def fit(self, payments: pd.DataFrame, labels: pd.Series) -> Self:
        self._encoders = {name: RateEncoder.fit(payments[name], labels) for name in CATEGORICAL}
        self._classifier.fit(self._features(payments), labels)
        return self

    def score(self, payments: pd.DataFrame) -> np.ndarray:
        """Probability of fraud, one for each payment."""
        return self._classifier.predict_proba(self._features(payments))[:, 1]

    def _features(self, payments: pd.DataFrame) -> pd.DataFrame:
        numbers = payments[list(NUMERIC)].astype(float)
        rates = {f"{name}_rate": enc.transform(payments[name]) for name, enc in self._encoders.items()}
        return numbers.assign(
            hour=payments["paid_at"].dt.hour,
            weekday=payments["paid_at"].dt.day_of_week,
            **rates,
        )


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Cut time at several moments: all earlier payments against later ones of new cards."""
    first_payment = df.groupby("card_id")["paid_at"].transform("min")
    return [
        (df.index[df["paid_at"] < cutoff].tolist(), df.index[first_payment >= cutoff].tolist())
        for cutoff in df["paid_at"].quantile(TRAIN_SHARES)
    ]


def run(df: pd.DataFrame, folds: Sequence[tuple[Ids, Ids]]) -> dict[str, Any]:
    """Train and test one model per fold, each from scratch."""
    results = [_run_fold(df, train_ids, test_ids) for train_ids, test_ids in folds]
    return {
        "folds": results,
        "metric": "average_precision",
        "value": sum(fold["test_score"] for fold in results) / len(results),
    }


def _run_fold(df: pd.DataFrame, train_ids: Ids, test_ids: Ids) -> dict[str, Any]:
    payments, labels = df.drop(columns=TARGET), df[TARGET]
    model = FraudModel().fit(payments.loc[train_ids], labels.loc[train_ids])
    scores = predict(model, payments.loc[test_ids])
    return {
        "train_ids": train_ids,
        "test_ids": test_ids,
        "model": model,
        "test_score": float(average_precision_score(labels.loc[test_ids], scores)),
    }


def predict(model: FraudModel, raw_df: pd.DataFrame) -> np.ndarray:
    """One score for each payment; higher is likelier fraud."""
    return model.score(raw_df)


def main() -> None:
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']} {result['value']:.3f}, at random {df[TARGET].mean():.3f}")


if __name__ == "__main__":
    main()
