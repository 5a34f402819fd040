"""Fraud scoring for card payments.

Payments are turned into plain feature vectors one by one; a small encoder object keeps everything
that was learned from the training payments.
"""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any, Iterable, Mapping

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

log = logging.getLogger(__name__)

TARGET = "is_fraud"
NUMERIC_FIELDS = (
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
)
CATEGORY_FIELDS = ("merchant_id", "merchant_category", "channel", "country")
TRAIN_SHARE = 0.6
PRIOR_STRENGTH = 20

Payment = Mapping[str, Any]


def is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


@dataclass
class FeatureEncoder:
    """What was learned from the training payments.

    Attributes:
        medians: the median of each numeric field, used in place of missing values.
        fraud_rates: for each category field, the smoothed fraud rate of every known value.
        overall_rate: fraud rate of all training payments, used for unknown values.
    """

    medians: dict[str, float]
    fraud_rates: dict[str, dict[str, float]]
    overall_rate: float

    @classmethod
    def learn(cls, payments: list[Payment], labels: list[int]) -> FeatureEncoder:
        overall_rate = sum(labels) / len(labels)

        medians = {}
        for field in NUMERIC_FIELDS:
            present = [p[field] for p in payments if not is_missing(p[field])]
            medians[field] = float(median(present)) if present else 0.0

        fraud_rates: dict[str, dict[str, float]] = defaultdict(dict)
        for field in CATEGORY_FIELDS:
            seen: Counter = Counter()
            frauds: Counter = Counter()
            for payment, label in zip(payments, labels):
                value = payment[field]
                if is_missing(value):
                    continue
                seen[value] += 1
                frauds[value] += label
            for value, count in seen.items():
                smoothed = frauds[value] + PRIOR_STRENGTH * overall_rate
                fraud_rates[field][value] = smoothed / (count + PRIOR_STRENGTH)

        return cls(medians, dict(fraud_rates), overall_rate)

    def encode(self, payment: Payment) -> list[float]:
        """Feature vector of one payment."""
        vector = []
        for field in NUMERIC_FIELDS:
            value = payment[field]
            vector.append(self.medians[field] if is_missing(value) else float(value))
        for field in CATEGORY_FIELDS:
            rates = self.fraud_rates[field]
            vector.append(rates.get(payment[field], self.overall_rate))
        paid_at = payment["paid_at"]
        if is_missing(paid_at):
            vector.extend([12.0, 3.0])
        else:
            vector.extend([float(paid_at.hour), float(paid_at.weekday())])
        return vector


@dataclass
class FraudModel:
    encoder: FeatureEncoder
    classifier: RandomForestClassifier

    def score(self, payments: Iterable[Payment]) -> list[float]:
        vectors = [self.encoder.encode(payment) for payment in payments]
        return [float(pair[1]) for pair in self.classifier.predict_proba(vectors)]


def to_records(df: pd.DataFrame) -> list[Payment]:
    return [row.to_dict() for _, row in df.iterrows()]


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """One fold: early payments, and later payments of cards that are not among them."""
    timestamps = sorted(df["paid_at"].tolist())
    cutoff = timestamps[int(len(timestamps) * TRAIN_SHARE)]

    train_ids = []
    known_cards = set()
    for payment_id, row in df.iterrows():
        if row["paid_at"] < cutoff:
            train_ids.append(payment_id)
            known_cards.add(row["card_id"])

    test_ids = [
        payment_id
        for payment_id, row in df.iterrows()
        if row["paid_at"] >= cutoff and row["card_id"] not in known_cards
    ]
    return [(train_ids, test_ids)]


def train_model(train: pd.DataFrame) -> FraudModel:
    """Learn the encoder and the forest from training payments only."""
    payments = to_records(train)
    labels = [int(label) for label in train[TARGET]]
    encoder = FeatureEncoder.learn(payments, labels)
    classifier = RandomForestClassifier(n_estimators=200, min_samples_leaf=5, random_state=7)
    classifier.fit([encoder.encode(payment) for payment in payments], labels)
    return FraudModel(encoder, classifier)


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict[str, Any]:
    """Train and evaluate one model for each fold."""
    results = []
    for train_ids, test_ids in folds:
        test = df.loc[test_ids]
        model = train_model(df.loc[train_ids])
        test_score = float(average_precision_score(test[TARGET].tolist(), predict(model, test)))
        log.debug("fold with %d test payments: %.3f", len(test_ids), test_score)
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": test_score,
            }
        )
    value = sum(r["test_score"] for r in results) / len(results)
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: FraudModel, raw_df: pd.DataFrame) -> list[float]:
    """Fraud score of each payment, in the order of the rows."""
    return model.score(to_records(raw_df))
