"""Fraud scores for card payments: split, experiment and prediction without leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

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
TEST_BEGINS = (0.4, 0.5, 0.6, 0.7)  # quantiles of the time


def split(df: pd.DataFrame) -> list[tuple[list[int], list[int]]]:
    """Train on the past, test on cards that are first seen afterwards."""
    first_seen = df.groupby("card_id")["paid_at"].transform("min")
    folds = []
    for quantile in TEST_BEGINS:
        begin = df["paid_at"].quantile(quantile)
        train = df.index[df["paid_at"] < begin]
        test = df.index[first_seen >= begin]
        folds.append((train.tolist(), test.tolist()))
    return folds


def features(df: pd.DataFrame) -> pd.DataFrame:
    """Columns that are known when a payment arrives."""
    return df[NUMERIC + CATEGORICAL].assign(hour=df["paid_at"].dt.hour)


def build_model() -> Pipeline:
    """Everything that learns, in one pipeline that is fitted on training rows only."""
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer(
        [
            ("numeric", numeric, [*NUMERIC, "hour"]),
            ("categorical", OneHotEncoder(handle_unknown="ignore"), CATEGORICAL),
        ]
    )
    return Pipeline([("columns", columns), ("classify", LogisticRegression(max_iter=1000))])


def run(df: pd.DataFrame, folds: list[tuple[list[int], list[int]]]) -> dict[str, Any]:
    """Fit on each fold's training rows and score its test rows."""
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = build_model().fit(features(train), train[TARGET])
        scores = predict(model, test.drop(columns=TARGET))
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(average_precision_score(test[TARGET], scores)),
            }
        )
    middle = float(np.median([result["test_score"] for result in results]))
    return {"folds": results, "metric": "average_precision", "value": middle}


def predict(model: Pipeline, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud for each row, from that row alone."""
    return model.predict_proba(features(raw_df))[:, 1]


def main() -> None:
    """Report the score on the shipped payments."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
