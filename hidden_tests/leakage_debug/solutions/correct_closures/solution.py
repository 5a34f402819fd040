"""Fraud scores. `fit_*` functions take training rows and give back functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

Transform = Callable[[pd.DataFrame], pd.DataFrame]
Score = Callable[[pd.DataFrame], np.ndarray]

NUMERIC = [
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
]


def split(df: pd.DataFrame) -> list[tuple[pd.Index, pd.Index]]:
    """Train before the cut, test on cards that start after it."""
    cut = df["paid_at"].sort_values().iloc[int(len(df) * 0.58)]
    debut = df.groupby("card_id")["paid_at"].transform("min")
    return [(df.index[df["paid_at"] < cut], df.index[debut >= cut])]


def fit_numbers(train: pd.DataFrame) -> Transform:
    """Median filling and standardising, as of these rows."""
    medians = train[NUMERIC].median()
    filled = train[NUMERIC].fillna(medians)
    center, spread = filled.mean(), filled.std(ddof=0)
    return lambda df: (df[NUMERIC].fillna(medians) - center) / spread


def fit_shares(column: str) -> Callable[[pd.DataFrame], Transform]:
    """How common a value is among the rows."""

    def fit(train: pd.DataFrame) -> Transform:
        shares = train[column].value_counts(normalize=True)
        return lambda df: df[[column]].apply(lambda values: values.map(shares)).fillna(0.0)

    return fit


def fit_dummies(column: str) -> Callable[[pd.DataFrame], Transform]:
    """One 0/1 column for each value among the rows."""

    def fit(train: pd.DataFrame) -> Transform:
        levels = sorted(train[column].dropna().unique())
        return lambda df: pd.DataFrame(
            {f"{column}={level}": (df[column] == level).astype(float) for level in levels},
            index=df.index,
        )

    return fit


def fit_night(_: pd.DataFrame) -> Transform:
    """Nothing is learned here; it has the same shape as its neighbours."""
    return lambda df: ((df["paid_at"].dt.hour + 1) % 24 < 7).astype(float).to_frame("night")


STEPS = (
    fit_numbers,
    fit_night,
    fit_shares("merchant_id"),
    *(fit_dummies(column) for column in ("merchant_category", "channel", "country")),
)


def fit_score(train: pd.DataFrame) -> Score:
    """Everything that is learned from the training rows, as one function of raw rows."""
    transforms = [step(train) for step in STEPS]

    def features(df: pd.DataFrame) -> np.ndarray:
        return np.hstack([transform(df).to_numpy(dtype=float) for transform in transforms])

    classifier = LogisticRegression(max_iter=1000).fit(features(train), train["is_fraud"])
    return lambda df: classifier.predict_proba(features(df))[:, 1]


def run(df: pd.DataFrame, folds) -> dict:
    """Fit and evaluate on each fold."""

    def evaluate(train_ids, test_ids) -> dict:
        score = fit_score(df.loc[train_ids])
        test = df.loc[test_ids]
        precision = average_precision_score(test["is_fraud"], predict(score, test))
        return {
            "train_ids": train_ids,
            "test_ids": test_ids,
            "model": score,
            "test_score": float(precision),
        }

    results = [evaluate(*fold) for fold in folds]
    mean = float(np.mean([result["test_score"] for result in results]))
    return {"folds": results, "metric": "average_precision", "value": mean}


def predict(model: Score, raw_df: pd.DataFrame) -> list[float]:
    """One score a row."""
    return model(raw_df).tolist()


def main() -> None:
    """Print the score of the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
