"""Card fraud scores: boosting, stopped on a validation part of the training rows."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import average_precision_score, log_loss
from sklearn.preprocessing import OneHotEncoder

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
MAX_TREES = 60


class Boosted(NamedTuple):
    """What was learned from training rows."""

    medians: pd.Series
    encoder: OneHotEncoder
    trees: GradientBoostingClassifier
    best_size: int


def time_cut(df: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows before a cut, and later rows of cards that were not seen before it."""
    cut = df["paid_at"].quantile(share)
    first = df.groupby("card_id")["paid_at"].transform("min")
    return df[df["paid_at"] < cut], df[first >= cut]


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """One fold by card and time."""
    train, test = time_cut(df, 0.6)
    return [(train.index.tolist(), test.index.tolist())]


def matrix(df: pd.DataFrame, medians: pd.Series, encoder: OneHotEncoder) -> np.ndarray:
    """Filled numbers, the hour, and dummies."""
    numbers = df[NUMERIC].fillna(medians).assign(hour=df["paid_at"].dt.hour)
    return np.hstack([numbers.to_numpy(float), encoder.transform(df[CATEGORICAL])])


def best_number_of_trees(train: pd.DataFrame) -> int:
    """Where the loss on the newest training cards is lowest."""
    older, newer = time_cut(train, 0.6)
    if not newer[TARGET].any():
        return MAX_TREES // 2
    draft = grow(older, MAX_TREES)
    x = matrix(newer, draft.medians, draft.encoder)
    losses = [log_loss(newer[TARGET], p[:, 1]) for p in draft.trees.staged_predict_proba(x)]
    return int(np.argmin(losses)) + 1


def grow(train: pd.DataFrame, size: int) -> Boosted:
    """Fit `size` trees, and the preprocessing, on these rows."""
    medians = train[NUMERIC].median()
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train[CATEGORICAL])
    trees = GradientBoostingClassifier(
        n_estimators=size, max_depth=2, learning_rate=0.2, subsample=0.8, random_state=11
    )
    trees.fit(matrix(train, medians, encoder), train[TARGET])
    return Boosted(medians, encoder, trees, size)


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict:
    """Choose the size on training rows, grow on all of them, test once."""
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = grow(train, best_number_of_trees(train))
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


def predict(model: Boosted, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud for each row."""
    return model.trees.predict_proba(matrix(raw_df, model.medians, model.encoder))[:, 1]


def main() -> None:
    """Evaluate on the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    trees = result["folds"][-1]["model"].best_size
    print(f"{result['metric']}: {result['value']:.3f} with {trees} trees")


if __name__ == "__main__":
    main()
