"""Fraud scores for card payments: every statistic is learned from training rows."""

from __future__ import annotations

from dataclasses import dataclass
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
TEST_BEGINS = (0.5, 0.7)


@dataclass(frozen=True)
class FraudModel:
    """What was learned from the training rows of one fold."""

    fill: pd.Series
    center: pd.Series
    spread: pd.Series
    rates: dict[str, pd.Series]
    prevalence: float
    shares: pd.Series
    chosen: list[str]
    classifier: LogisticRegression


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Train on the past, test on cards first seen afterwards."""
    first_seen = df.groupby("card_id")["paid_at"].transform("min")
    folds = []
    for quantile in TEST_BEGINS:
        begin = df["paid_at"].quantile(quantile)
        past = df["paid_at"] < begin
        new = first_seen >= begin
        folds.append((df.index[past].tolist(), df.index[new].tolist()))
    return folds


def numbers(df: pd.DataFrame) -> pd.DataFrame:
    """Numeric features of each row on its own."""
    table = df[NUMERIC].astype(float)
    table["night"] = ((df["paid_at"].dt.hour < 6) | (df["paid_at"].dt.hour >= 23)).astype(float)
    return table


def smoothed_rates(rows: pd.DataFrame, column: str) -> pd.Series:
    """Fraud rate of each value, drawn towards the mean where there are few rows."""
    groups = rows.groupby(column)[TARGET]
    return (groups.sum() + 20 * rows[TARGET].mean()) / (groups.count() + 20)


def features(df: pd.DataFrame, model: FraudModel) -> pd.DataFrame:
    """All features, from the rows and from what was learned."""
    table = (numbers(df).fillna(model.fill) - model.center) / model.spread
    for column in CATEGORICAL:
        table[column] = encoded(df[column], model)
    table["merchant_share"] = df["merchant_id"].map(model.shares).fillna(0.0) * 50
    return table


def encoded(values: pd.Series, model: FraudModel) -> pd.Series:
    """Log-odds of fraud for each value; unseen ones get the mean."""
    rate = values.map(model.rates[values.name]).fillna(model.prevalence).astype(float)
    return np.log(rate / (1 - rate))


def learn(df: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame) -> FraudModel:
    """Fit every step on training rows."""
    fill = numbers(train).median()
    filled = numbers(train).fillna(fill)
    center, spread = filled.mean(), filled.std()
    rates = {column: smoothed_rates(train, column) for column in CATEGORICAL}
    shares = train["merchant_id"].value_counts(normalize=True)
    prevalence = train[TARGET].mean()
    draft = FraudModel(fill, center, spread, rates, prevalence, shares, [], None)
    table = features(train, draft)
    relevance = table.corrwith(train[TARGET]).abs().sort_values(ascending=False)
    chosen = relevance.index[:9].tolist()
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(table[chosen], train[TARGET])
    return FraudModel(fill, center, spread, rates, prevalence, shares, chosen, classifier)


def run(df: pd.DataFrame, folds: list) -> dict:
    """Fit and test on each fold."""
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = learn(df, train, test)
        scores = predict(model, test.drop(columns=TARGET))
        test_score = average_precision_score(test[TARGET], scores)
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(test_score),
            }
        )
    value = float(np.mean([result["test_score"] for result in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: FraudModel, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud for each row."""
    table = features(raw_df, model)
    return model.classifier.predict_proba(table[model.chosen])[:, 1]


def main() -> None:
    """Report the score on the shipped payments."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
