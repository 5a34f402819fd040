"""Fraud experiment: one object for data, preparation and classifier of a fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

TARGET = "is_fraud"
NUMERIC = [
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
]
CATEGORICAL = ["merchant_category", "channel", "country"]


class Experiment:
    """Prepare all rows with what the training rows say, fit on train, test on test."""

    def __init__(self, df: pd.DataFrame, train_ids: list, test_ids: list) -> None:
        self.train_ids = train_ids
        self.test_ids = test_ids
        self.labels = df[TARGET]
        train = self._numbers(df.loc[train_ids])
        self.medians = train.median()
        self.means = train.fillna(self.medians).mean()
        self.deviations = train.fillna(self.medians).std()
        self.columns = self._dummies(df.loc[train_ids]).columns
        self.imputed = self._numbers(df).fillna(self.medians)
        self.standardised = (self.imputed - self.means) / self.deviations
        self.table = self.prepare(df)
        self.classifier = LogisticRegression(max_iter=1000)
        self.classifier.fit(self.table.loc[train_ids], self.labels[train_ids])

    @staticmethod
    def _numbers(df: pd.DataFrame) -> pd.DataFrame:
        return df[NUMERIC].astype(float).assign(hour=df["paid_at"].dt.hour.astype(float))

    @staticmethod
    def _dummies(df: pd.DataFrame) -> pd.DataFrame:
        return pd.get_dummies(df[CATEGORICAL], dtype=float)

    def prepare(self, df: pd.DataFrame) -> pd.DataFrame:
        """Features of any rows, with the statistics of the training rows."""
        filled = self._numbers(df).fillna(self.medians)
        dummies = self._dummies(df).reindex(columns=self.columns, fill_value=0.0)
        return pd.concat([(filled - self.means) / self.deviations, dummies], axis="columns")

    def score(self, df: pd.DataFrame) -> np.ndarray:
        """Probability of fraud for each row."""
        return self.classifier.predict_proba(self.prepare(df))[:, 1]

    def test_score(self) -> float:
        """Average precision on the test rows."""
        chances = self.classifier.predict_proba(self.table.loc[self.test_ids])[:, 1]
        return float(average_precision_score(self.labels[self.test_ids], chances))


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Cards that start after the cut are tested, all payments before it are learned from."""
    cut = df["paid_at"].quantile(0.58)
    starts = df.groupby("card_id")["paid_at"].transform("min")
    return [(df.index[df["paid_at"] < cut].tolist(), df.index[starts >= cut].tolist())]


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict:
    """One experiment a fold."""
    experiments = [Experiment(df, *fold) for fold in folds]
    results = [
        {
            "train_ids": experiment.train_ids,
            "test_ids": experiment.test_ids,
            "model": experiment,
            "test_score": experiment.test_score(),
        }
        for experiment in experiments
    ]
    value = float(np.mean([result["test_score"] for result in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: Experiment, raw_df: pd.DataFrame) -> np.ndarray:
    """One score a row."""
    return model.score(raw_df)


def main() -> None:
    """Evaluate on the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
