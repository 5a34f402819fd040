"""Fraud scores, backtested with an expanding window."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from sklearn.pipeline import Pipeline

    Fold = tuple[list[Any], list[Any]]

LABEL = "is_fraud"
BINNED = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days"]
COUNTED = ["failed_pins_24h", "credit_limit_eur"]
NAMED = ["merchant_category", "channel", "country", "hour"]
BEGINS = [0.40, 0.47, 0.54, 0.61]  # quantiles of the time


def windows(df: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.Series]]:
    """Masks of train and test rows; each window trains on more of the past."""
    first_seen = df.groupby("card_id")["paid_at"].transform("min")
    for begin in df["paid_at"].quantile(BEGINS):
        yield df["paid_at"] < begin, first_seen >= begin


def split(df: pd.DataFrame) -> list[Fold]:
    """Expanding windows; no test card was seen in training."""
    return [(df.index[train].tolist(), df.index[test].tolist()) for train, test in windows(df)]


def features(df: pd.DataFrame) -> pd.DataFrame:
    """Known columns and the hour of the payment."""
    hour = df["paid_at"].dt.hour.floordiv(3).astype(str)
    return df[BINNED + COUNTED].assign(**df[NAMED[:-1]].fillna("missing"), hour=hour)


def new_model() -> Pipeline:
    """Bins, dummies and a logistic regression."""
    binned = make_pipeline(
        SimpleImputer(strategy="median"),
        KBinsDiscretizer(8, quantile_method="averaged_inverted_cdf", subsample=None),
    )
    columns = make_column_transformer(
        (binned, BINNED),
        (make_pipeline(SimpleImputer(), KBinsDiscretizer(4, strategy="uniform")), COUNTED),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=15), NAMED),
    )
    return make_pipeline(columns, LogisticRegression(C=0.3, max_iter=3000))


def evaluate(df: pd.DataFrame, fold: Fold) -> dict[str, Any]:
    """One fold of the experiment."""
    train, test = (df.loc[ids] for ids in fold)
    model = new_model().fit(features(train), train[LABEL])
    scores = predict(model, test.drop(columns=LABEL))
    return {
        "train_ids": fold[0],
        "test_ids": fold[1],
        "model": model,
        "test_score": float(average_precision_score(test[LABEL], scores)),
    }


def run(df: pd.DataFrame, folds: list[Fold]) -> dict[str, Any]:
    """All folds, and their mean."""
    results = [evaluate(df, fold) for fold in folds]
    return {
        "folds": results,
        "metric": "average_precision",
        "value": fmean(result["test_score"] for result in results),
    }


def predict(model: Pipeline, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud, one for each row."""
    return model.predict_proba(features(raw_df))[:, 1]


def main() -> None:
    """Backtest the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    for number, fold in enumerate(result["folds"], 1):
        print(f"window {number}: {fold['test_score']:.3f} on {len(fold['test_ids'])} payments")
    print(f"mean {result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
