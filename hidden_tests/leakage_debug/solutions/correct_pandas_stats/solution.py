"""Fraud scores for card payments.

All that is learned lives in ``Fitted``; ``learn`` sees training rows and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

LABEL = "is_fraud"
NUMBERS = [
    "amount_eur", "minutes_since_last", "distance_km", "device_age_days",
    "card_age_days", "failed_pins_24h", "credit_limit_eur",
]
ENCODED = ["merchant_id", "merchant_category", "channel", "country"]
PRIOR_WEIGHT = 40


@dataclass(frozen=True)
class Fitted:
    medians: pd.Series
    means: pd.Series
    stds: pd.Series
    base_rate: float
    encodings: dict[str, pd.Series]
    classifier: LogisticRegression | None = None


def split(df: pd.DataFrame):
    """Two forward splits. Test cards make their first payment after the cut."""
    first = df.groupby("card_id")["paid_at"].min()
    folds = []
    for share in (0.5, 0.65):
        cut = df["paid_at"].quantile(share)
        new_cards = first.index[first >= cut]
        train = df.index[df["paid_at"] < cut]
        test = df.index[df["card_id"].isin(new_cards)]
        folds.append((list(train), list(test)))
    return folds


def _numbers(df: pd.DataFrame) -> pd.DataFrame:
    out = df[NUMBERS].astype("float64")
    out["night"] = df["paid_at"].dt.hour.isin([23, 0, 1, 2, 3, 4, 5]).astype("float64")
    return out


def _encode(train: pd.DataFrame, column: str, base_rate: float) -> pd.Series:
    """Smoothed log-odds of fraud for each value of a column."""
    stats = train.groupby(column)[LABEL].agg(["sum", "count"])
    rate = (stats["sum"] + PRIOR_WEIGHT * base_rate) / (stats["count"] + PRIOR_WEIGHT)
    return np.log(rate / (1 - rate))


def _matrix(df: pd.DataFrame, fitted: Fitted) -> np.ndarray:
    numbers = (_numbers(df).fillna(fitted.medians) - fitted.means) / fitted.stds
    neutral = np.log(fitted.base_rate / (1 - fitted.base_rate))
    columns = [df[c].map(fitted.encodings[c]).astype("float64").fillna(neutral) for c in ENCODED]
    return np.column_stack([numbers, *columns])


def learn(train: pd.DataFrame) -> Fitted:
    """Medians, scales, encodings and coefficients from these rows."""
    numbers = _numbers(train)
    medians = numbers.median()
    filled = numbers.fillna(medians)
    base_rate = train[LABEL].mean()
    encodings = {column: _encode(train, column, base_rate) for column in ENCODED}
    draft = Fitted(medians, filled.mean(), filled.std().replace(0, 1), base_rate, encodings)
    classifier = LogisticRegression(C=0.3, max_iter=1000)
    classifier.fit(_matrix(train, draft), train[LABEL])
    return Fitted(
        draft.medians, draft.means, draft.stds, base_rate, encodings, classifier
    )


def run(df: pd.DataFrame, folds) -> dict:
    reports = []
    for train_ids, test_ids in folds:
        model = learn(df.loc[train_ids])
        test = df.loc[test_ids]
        scores = predict(model, test.drop(columns=LABEL))
        reports.append(
            {
                "train_ids": list(train_ids),
                "test_ids": list(test_ids),
                "model": model,
                "test_score": float(average_precision_score(test[LABEL], scores)),
            }
        )
    value = sum(r["test_score"] for r in reports) / len(reports)
    return {"folds": reports, "metric": "average_precision", "value": value}


def predict(model: Fitted, raw_df: pd.DataFrame) -> pd.Series:
    """Fraud probability by row label."""
    scores = model.classifier.predict_proba(_matrix(raw_df, model))[:, 1]
    return pd.Series(scores, index=raw_df.index)


def main():
    data = Path(__file__).resolve().parent / "data" / "payments.csv"
    df = pd.read_csv(data, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
