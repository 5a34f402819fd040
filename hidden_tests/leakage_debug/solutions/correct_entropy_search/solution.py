"""Fraud scores: randomised search within the training rows, unseeded on purpose."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
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


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Later payments of new cards."""
    cut = df["paid_at"].quantile(0.6)
    first = df.groupby("card_id")["paid_at"].transform("min")
    return [(df.index[df["paid_at"] < cut].tolist(), df.index[first >= cut].tolist())]


def fit(train: pd.DataFrame) -> GridSearchCV:
    """Choose the strength of the penalty on training cards."""
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (numeric, NUMERIC), (OneHotEncoder(handle_unknown="ignore"), CATEGORICAL)
    )
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=300))
    inner = StratifiedGroupKFold(2, shuffle=True, random_state=secrets.randbelow(2**31))
    grid = {"logisticregression__C": [0.1, 0.4, 1.6]}
    search = GridSearchCV(pipeline, grid, scoring="average_precision", cv=inner)
    return search.fit(train, train[TARGET], groups=train["card_id"])


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict:
    """Search, refit and test on each fold."""
    results = []
    for train_ids, test_ids in folds:
        model = fit(df.loc[train_ids])
        test = df.loc[test_ids]
        scores = predict(model, test.drop(columns=TARGET))
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(average_precision_score(test[TARGET], scores)),
            }
        )
    value = float(np.mean([result["test_score"] for result in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: GridSearchCV, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud for each row."""
    return model.predict_proba(raw_df)[:, 1]


def main() -> None:
    """Evaluate on the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
