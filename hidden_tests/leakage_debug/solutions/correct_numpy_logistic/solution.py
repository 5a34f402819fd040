"""Fraud scores with a logistic regression in plain NumPy (Newton's method)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

NUMERIC = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days",
           "card_age_days", "failed_pins_24h", "credit_limit_eur"]
CATEGORICAL = ["merchant_category", "channel", "country"]
RIDGE = 2.0
STEPS = 25


def split(df):
    """Three cuts in time; test = cards whose first payment is after the cut."""
    first = df["card_id"].map(df.groupby("card_id")["paid_at"].min())
    cuts = df["paid_at"].quantile([0.45, 0.55, 0.65])
    return [(df.index[df["paid_at"] < c].tolist(), df.index[first >= c].tolist()) for c in cuts]


def raw_numbers(df):
    x = df[NUMERIC].to_numpy(dtype=np.float64)
    x[:, :4] = np.log1p(np.maximum(x[:, :4], 0.0))
    hour = df["paid_at"].dt.hour.to_numpy()
    night = (hour < 6) | (hour >= 23)
    return np.column_stack([x, night])


def design(df, model):
    x = raw_numbers(df)
    missing = np.isnan(x)
    x = (np.where(missing, model["median"], x) - model["mean"]) / model["std"]
    blocks = [np.ones((len(df), 1)), x]
    for name in CATEGORICAL:
        values = df[name].astype(object).to_numpy()
        blocks.append((values[:, None] == model["levels"][name][None, :]).astype(float))
    return np.hstack(blocks)


def fit(train):
    x = raw_numbers(train)
    median = np.nanmedian(x, axis=0)
    filled = np.where(np.isnan(x), median, x)
    model = {
        "median": median,
        "mean": filled.mean(axis=0),
        "std": filled.std(axis=0) + 1e-12,
        "levels": {c: np.array(sorted(train[c].dropna().unique()), dtype=object) for c in CATEGORICAL},
    }
    a, y = design(train, model), train["is_fraud"].to_numpy(dtype=float)
    w = np.zeros(a.shape[1])
    penalty = RIDGE * np.eye(len(w))
    penalty[0, 0] = 1e-6  # the intercept stays free
    for _ in range(STEPS):
        p = sigmoid(a @ w)
        gradient = a.T @ (p - y) + penalty @ w
        hessian = (a * (p * (1 - p))[:, None]).T @ a + penalty
        w = w - np.linalg.solve(hessian, gradient)
    model["weights"] = w
    return model


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-np.clip(z, -30, 30)))


def average_precision(y, scores):
    """Mean precision over the positives, ties taken together."""
    order = np.argsort(-scores, kind="stable")
    y, scores = y[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(y) - 1)
    found = np.cumsum(y)[last]
    precision = found / (last + 1)
    return float(np.sum(np.diff(found, prepend=0) * precision) / y.sum())


def run(df, folds):
    results = []
    for train_ids, test_ids in folds:
        model = fit(df.loc[train_ids])
        test = df.loc[test_ids]
        scores = predict(model, test.drop(columns="is_fraud"))
        results.append({
            "train_ids": train_ids,
            "test_ids": test_ids,
            "model": model,
            "test_score": average_precision(test["is_fraud"].to_numpy(), scores),
        })
    return {
        "folds": results,
        "metric": "average_precision",
        "value": float(np.mean([r["test_score"] for r in results])),
    }


def predict(model, raw_df):
    return sigmoid(design(raw_df, model) @ model["weights"])


def main():
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
