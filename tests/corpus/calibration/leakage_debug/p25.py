"""Fraud scoring for card payments with an honest evaluation.

The evaluation mirrors how the model is used: it is trained on the past and asked about later
payments, and about cards that it does not know. Everything learned from data lives in
`FraudModel`, which is fitted on the training rows of one fold and nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

TARGET = "is_fraud"
SKEWED = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days"]
COUNTS_AND_LIMITS = ["failed_pins_24h", "credit_limit_eur"]
NUMERIC = SKEWED + COUNTS_AND_LIMITS
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]

PRIOR_WEIGHT = 30.0
"""How many payments of average risk each category is credited with."""

Ids = list[Hashable]


class FoldResult(TypedDict):
    train_ids: Ids
    test_ids: Ids
    model: FraudModel
    test_score: float


class RunResult(TypedDict):
    folds: list[FoldResult]
    metric: str
    value: float


@dataclass(frozen=True)
class FraudModel:
    """What was learned from the training payments of one fold."""

    medians: pd.Series
    overall_rate: float
    rates: dict[str, pd.Series]
    classifier: Pipeline

    @classmethod
    def train(cls, payments: pd.DataFrame) -> FraudModel:
        """Fit the whole chain on `payments`, which have labels."""
        label = payments[TARGET]
        medians = numbers(payments).median().fillna(0.0)
        overall_rate = float(label.mean())
        totals = {column: category_totals(payments[column], label) for column in CATEGORICAL}

        features = numbers(payments).fillna(medians)
        for column in CATEGORICAL:
            # Each row is encoded without its own label: otherwise rare merchants give it away.
            others = totals[column].reindex(category_keys(payments[column])).set_axis(payments.index)
            others["frauds"] -= label
            others["payments"] -= 1
            features[f"{column}_rate"] = smoothed_rate(others, overall_rate)

        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        classifier.fit(features, label)
        rates = {column: smoothed_rate(total, overall_rate) for column, total in totals.items()}
        return cls(medians, overall_rate, rates, classifier)

    def score(self, payments: pd.DataFrame) -> np.ndarray:
        """Return a probability of fraud for each payment, independent of its neighbours."""
        features = numbers(payments).fillna(self.medians)
        for column in CATEGORICAL:
            rate = category_keys(payments[column]).map(self.rates[column])
            features[f"{column}_rate"] = rate.astype("float64").fillna(self.overall_rate)
        return self.classifier.predict_proba(features)[:, 1]


def numbers(payments: pd.DataFrame) -> pd.DataFrame:
    """Return the numeric features, long tails shortened, gaps kept."""
    result = payments[NUMERIC].astype("float64")
    result[SKEWED] = np.log1p(result[SKEWED].clip(lower=0))
    hour_angle = payments["paid_at"].dt.hour * (2 * np.pi / 24)
    return result.assign(hour_sin=np.sin(hour_angle), hour_cos=np.cos(hour_angle))


def category_keys(column: pd.Series) -> pd.Series:
    """Return the categories as text; a missing one is a category of its own."""
    return column.astype("string").fillna("(missing)").astype("object")


def category_totals(column: pd.Series, label: pd.Series) -> pd.DataFrame:
    """Count frauds and payments of each category."""
    grouped = label.groupby(category_keys(column))
    return grouped.agg(frauds="sum", payments="count").astype("float64")


def smoothed_rate(totals: pd.DataFrame, overall_rate: float) -> pd.Series:
    """Return fraud rates, drawn towards the overall rate where payments are few."""
    frauds = totals["frauds"] + PRIOR_WEIGHT * overall_rate
    return frauds / (totals["payments"] + PRIOR_WEIGHT)


def split(df: pd.DataFrame) -> list[tuple[Ids, Ids]]:
    """Return folds that each hold out later payments of cards not trained on.

    Every second card, in the order of their names, is held out in the first fold, the others in
    the second. Payments at the very moment of the cut belong to the test.
    """
    cut = df["paid_at"].quantile(0.65, interpolation="higher")
    early = df["paid_at"] < cut
    card_number, _ = pd.factorize(df["card_id"], sort=True)
    return [
        (
            df.index[early & (card_number % 2 != held_out)].tolist(),
            df.index[~early & (card_number % 2 == held_out)].tolist(),
        )
        for held_out in (0, 1)
    ]


def run(df: pd.DataFrame, folds: Iterable[tuple[Ids, Ids]]) -> RunResult:
    """Train on each fold's training rows and measure average precision on its test rows."""
    results: list[FoldResult] = []
    for train_ids, test_ids in folds:
        model = FraudModel.train(df.loc[train_ids])
        test = df.loc[test_ids]
        test_score = average_precision_score(test[TARGET], predict(model, test))
        results.append(
            FoldResult(
                train_ids=train_ids,
                test_ids=test_ids,
                model=model,
                test_score=float(test_score),
            )
        )
    value = float(np.mean([result["test_score"] for result in results]))
    return RunResult(folds=results, metric="average_precision", value=value)


def predict(model: FraudModel, raw_df: pd.DataFrame) -> np.ndarray:
    """Score payments: the higher, the likelier fraud."""
    return model.score(raw_df)


def main() -> None:
    """Print the value of the sample data."""
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
