"""Fraud model."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

TARGET = "is_fraud"
NUMERIC = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
           "failed_pins_24h", "credit_limit_eur"]
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Split by time and card."""
    if df is None:
        raise ValueError("df must not be None")
    if not isinstance(df, pd.DataFrame):
        raise TypeError("df must be a DataFrame")
    if df.empty:
        raise ValueError("df must not be empty")
    if "paid_at" not in df.columns:
        raise ValueError("column paid_at is missing")
    if "card_id" not in df.columns:
        raise ValueError("column card_id is missing")

    cutoff = df["paid_at"].quantile(0.6)
    train = df[df["paid_at"] < cutoff]
    test = df[(df["paid_at"] >= cutoff) & ~df["card_id"].isin(train["card_id"])]
    if len(train) == 0:
        raise ValueError("train must not be empty")
    if len(test) == 0:
        raise ValueError("test must not be empty")
    return [(train.index.tolist(), test.index.tolist())]


def fit_statistics(train: pd.DataFrame) -> dict[str, Any]:
    """Medians and fraud rates of the training rows."""
    if train is None:
        raise ValueError("train must not be None")
    if not isinstance(train, pd.DataFrame):
        raise TypeError("train must be a DataFrame")
    if train.empty:
        raise ValueError("train must not be empty")
    if TARGET not in train.columns:
        raise ValueError(f"column {TARGET} is missing")

    base = train[TARGET].mean()
    rates = {}
    for col in CATEGORICAL:
        if col not in train.columns:
            raise ValueError(f"column {col} is missing")
        stats = train.groupby(col)[TARGET].agg(["sum", "count"])
        rates[col] = (stats["sum"] + 20 * base) / (stats["count"] + 20)
    return {"medians": train[NUMERIC].median().fillna(0), "rates": rates, "base": base}


def make_features(statistics: dict[str, Any], df: pd.DataFrame) -> pd.DataFrame:
    """Feature table."""
    if statistics is None:
        raise ValueError("statistics must not be None")
    if not isinstance(statistics, dict):
        raise TypeError("statistics must be a dict")
    if df is None:
        raise ValueError("df must not be None")
    if not isinstance(df, pd.DataFrame):
        raise TypeError("df must be a DataFrame")
    if df.empty:
        raise ValueError("df must not be empty")
    for col in NUMERIC + CATEGORICAL:
        if col not in df.columns:
            raise ValueError(f"column {col} is missing")

    features = df[NUMERIC].astype(float).fillna(statistics["medians"])
    features["hour"] = df["paid_at"].dt.hour.fillna(12)
    features["weekday"] = df["paid_at"].dt.day_of_week.fillna(3)
    for col in CATEGORICAL:
        encoded = df[col].map(statistics["rates"][col]).astype(float)
        features[col + "_rate"] = encoded.fillna(statistics["base"])
    if features.isna().any().any():
        raise ValueError("features must not be missing")
    return features


def evaluate(model: dict[str, Any], test: pd.DataFrame) -> float:
    """Average precision on the test rows."""
    if model is None:
        raise ValueError("model must not be None")
    if not isinstance(model, dict):
        raise TypeError("model must be a dict")
    if test is None:
        raise ValueError("test must not be None")
    if not isinstance(test, pd.DataFrame):
        raise TypeError("test must be a DataFrame")
    if test.empty:
        raise ValueError("test must not be empty")

    scores = predict(model, test.drop(columns=TARGET))
    if len(scores) != len(test):
        raise ValueError("one score a row is needed")
    return float(average_precision_score(test[TARGET], scores))


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict[str, Any]:
    """Train and test on the folds."""
    if df is None:
        raise ValueError("df must not be None")
    if not isinstance(df, pd.DataFrame):
        raise TypeError("df must be a DataFrame")
    if folds is None:
        raise ValueError("folds must not be None")
    if len(folds) == 0:
        raise ValueError("folds must not be empty")

    results = []
    for fold in folds:
        if len(fold) != 2:
            raise ValueError("a fold must be a pair")
        train_ids, test_ids = fold
        train, test = df.loc[train_ids], df.loc[test_ids]
        statistics = fit_statistics(train)
        classifier = RandomForestClassifier(n_estimators=200, min_samples_leaf=5, random_state=7)
        classifier.fit(make_features(statistics, train), train[TARGET])
        model = {"statistics": statistics, "classifier": classifier}
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": evaluate(model, test),
            }
        )
    value = float(np.mean([r["test_score"] for r in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: dict[str, Any], raw_df: pd.DataFrame) -> np.ndarray:
    """Fraud probabilities."""
    if model is None:
        raise ValueError("model must not be None")
    if not isinstance(model, dict):
        raise TypeError("model must be a dict")
    if "classifier" not in model:
        raise ValueError("model has no classifier")
    if raw_df is None:
        raise ValueError("raw_df must not be None")
    if not isinstance(raw_df, pd.DataFrame):
        raise TypeError("raw_df must be a DataFrame")

    features = make_features(model["statistics"], raw_df)
    return model["classifier"].predict_proba(features)[:, 1]
