# -*- coding: utf-8 -*-
"""Card fraud model without leakage."""
from __future__ import print_function

import os
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

DATA_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "payments.csv")
TARGET = "is_fraud"
NUMERIC = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
           "failed_pins_24h", "credit_limit_eur"]
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]
TIME = ["hour", "weekday"]


class Encoder(object):
    """Maps raw payments to a numeric matrix, all statistics are from the rows given to fit."""

    def __init__(self, smoothing=20):
        # type: (int) -> None
        self.smoothing = smoothing
        self.medians = None  # type: Optional[pd.Series]
        self.rates = {}  # type: Dict[str, Dict[str, float]]
        self.prior = 0.0

    def fit(self, df, y):
        # type: (pd.DataFrame, pd.Series) -> Encoder
        self.prior = float(y.mean())
        self.medians = self._with_time(df)[NUMERIC + TIME].median().fillna(0)
        for col in CATEGORICAL:
            grouped = y.groupby(df[col])
            rate = (grouped.sum() + self.smoothing * self.prior) / (grouped.count() + self.smoothing)
            self.rates[col] = dict(rate)
        return self

    def transform(self, df):
        # type: (pd.DataFrame) -> np.ndarray
        data = self._with_time(df)
        blocks = [data[NUMERIC + TIME].astype(float).fillna(self.medians).values]
        for col in CATEGORICAL:
            encoded = data[col].map(self.rates[col]).astype(float).fillna(self.prior)
            blocks.append(encoded.values.reshape(-1, 1))
        return np.hstack(blocks)

    @staticmethod
    def _with_time(df):
        # type: (pd.DataFrame) -> pd.DataFrame
        data = df.copy()
        data["hour"] = data["paid_at"].dt.hour
        data["weekday"] = data["paid_at"].dt.dayofweek
        return data


def split(df: pd.DataFrame) -> List[Tuple[List[Any], List[Any]]]:
    """Old payments for training, later payments of new cards for testing."""
    times = np.sort(df["paid_at"].values)
    cutoff = times[int(0.6 * len(times))]
    train = df[df["paid_at"] < cutoff]
    test = df[(df["paid_at"] >= cutoff) & (~df["card_id"].isin(train["card_id"].unique()))]
    return [(list(train.index), list(test.index))]


def run(df: pd.DataFrame, folds: List[Tuple[List[Any], List[Any]]]) -> Dict[str, Any]:
    """Train and evaluate one model per fold."""
    results = []  # type: List[Dict[str, Any]]
    for train_ids, test_ids in folds:
        train = df.loc[train_ids]
        test = df.loc[test_ids]
        encoder = Encoder().fit(train, train[TARGET])
        forest = RandomForestClassifier(n_estimators=200, min_samples_leaf=5, random_state=7)
        forest.fit(encoder.transform(train), train[TARGET].values)
        model = {"encoder": encoder, "classifier": forest}
        score = average_precision_score(test[TARGET].values, predict(model, test))
        results.append({
            "train_ids": train_ids,
            "test_ids": test_ids,
            "model": model,
            "test_score": float(score),
        })
    value = float(np.mean([r["test_score"] for r in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: Dict[str, Any], raw_df: pd.DataFrame) -> np.ndarray:
    """Fraud probability per row."""
    return model["classifier"].predict_proba(model["encoder"].transform(raw_df))[:, 1]


def main():
    if not os.path.exists(DATA_PATH):
        sys.stderr.write("no such file: %s\n" % DATA_PATH)
        return 1
    df = pd.read_csv(DATA_PATH, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print("%s: %.3f" % (result["metric"], result["value"]))
    for i, fold in enumerate(result["folds"]):
        print("  fold %d: train %d, test %d, score %.3f" % (
            i, len(fold["train_ids"]), len(fold["test_ids"]), fold["test_score"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
